//! Commands of every day, which must run unasked.

/// In a project, and in the working directory itself.
pub(super) const RUN: &str = r#"
ls
ls -la
ls -la /
ls ~
pwd
cd ..; ls
cd demo && make
whoami
date
uname -a
uptime
df -h
du -sh *
free -m
ps aux
ps aux | grep node
top -bn1 | head
env
env | sort
echo hello
echo "rm -rf /"
echo 'rm -rf /' > notes.txt
echo rm -rf /
printf '%s\n' a b c
# rm -rf /
ls # rm -rf /
git commit -m "rm -rf /"
git log --grep 'rm -rf /'
grep -r "mkfs" .
grep -rn "rm -rf" src | head
rg 'shutdown' --files-with-matches
man rm
which rm
type rm
command -v rm
alias
rm --help
rm file.txt
rm -f file.txt
rm -r build
rm -rf build
rm -rf ./build
rm -rf build/
rm -rf build dist target
rm -rf node_modules dist
rm -rf node_modules && npm install
rm -rf target/debug
rm -rf build/*
rm -rf *.pyc
rm -f *.o *.a
rm -rf **/__pycache__
rm -rf "my folder"
rm -rf my\ folder
rm -rf .next .cache
rm -rf ./a/../b
rm -rf $PWD/build
rm -rf "${PWD}/build"
rm -rf /home/user/projects/demo/build
rm -rf {build,dist}
x=build; rm -rf $x
x=build; rm -rf "$x"/*
OUT=dist; rm -rf "$OUT" && mkdir "$OUT"
rm -rf ${OUT:-build}
for f in *.pyc; do rm "$f"; done
for d in a b c; do rm -rf "$d/build"; done
for f in *.txt; do mv "$f" "${f%.txt}.md"; done
for i in 1 2 3; do echo $i; done
for i in {1..5}; do echo $i; done
for f in $(ls *.log); do rm -f "$f"; done
while read -r l; do echo "$l"; done < file.txt
while true; do date; sleep 1; break; done
find . -name '*.pyc'
find . -name '*.pyc' -delete
find . -name __pycache__ -type d -exec rm -rf {} +
find . -name '*.orig' -exec rm {} \;
find . -type f -name '*.tmp' | xargs rm -f
find . -name '*.log' -mtime +7 -delete
find . -name node_modules -prune -exec rm -rf {} \;
find src -type f | xargs wc -l
find . -name '*.rs' -exec grep -l foo {} +
find . -name '*.js' -print0 | xargs -0 grep -n foo
find / -name foo 2>/dev/null
git ls-files | xargs grep foo
git ls-files '*.orig' | xargs rm
grep -rl old src | xargs sed -i 's/old/new/g'
git clean -fdx
git clean -n
git status
git diff | head -50
git add -A && git commit -m "x" && git push
git push origin main
git push --force-with-lease
git stash; git pull --rebase; git stash pop
git branch -D old
git rm -r --cached build
git log --oneline | head -20
git -C demo status
git config user.name x
git rebase main
cargo build
cargo test --workspace 2>&1 | tail -50
cargo clean
cargo run -- --delete /
RUST_LOG=debug cargo run
npm install
npm run build
npm ci && npm test
npx eslint .
npx tsc --noEmit
yarn build
pnpm i
make
make clean
make -j4 test
make clean && make
cmake -B build && cmake --build build
pip install -r requirements.txt
pip install requests
python -m venv .venv
python -m pytest -q
python script.py
python3 manage.py migrate
python -c "print(1)"
python -c "print(1)" > out.txt
python3 -c 'import sys; print(sys.version)'
python3 -c "import json; print(json.dumps({'a': 1}))"
python3 -c "print(open('x.txt').read())"
node -e "console.log(1)"
node index.js
perl -pe 's/a/b/' file
perl -i -pe 's/foo/bar/' src/x.txt
ruby -e 'puts 1'
go build ./...
go test ./...
docker ps
docker ps -a
docker images
docker logs -f web
docker compose up -d
docker build -t x .
docker run --rm -it alpine echo hi
docker run --rm -v "$PWD":/src alpine ls /src
docker exec web ls
kubectl get pods
curl -s https://x.test
curl -o file https://x.test/a.tar.gz
curl -fsSL https://x.test/a.json | jq .
curl -X POST -d '{"a":1}' https://x.test
curl -I https://x.test
wget https://x.test/a.tar.gz
wget -qO- https://x.test | grep title
curl -s https://x.test/data.csv | sort | uniq -c
tar xzf a.tar.gz
tar czf a.tar.gz src
tar -C build -xf a.tar
unzip a.zip -d out
zip -r a.zip src
gunzip a.gz
gzip file
echo aGk= | base64 -d
base64 file.png > file.b64
cat file.txt
cat file | head -5
cat a b > c
cat /etc/os-release
cat /etc/passwd
cat /proc/cpuinfo | grep model
head -n 5 file
tail -f log.txt
less file
wc -l *.rs
sort file | uniq -c | sort -rn
sed -i 's/a/b/g' src/main.rs
sed -i.bak 's/a/b/' x.txt
sed -n '1,5p' file
sed -e 's/e/x/' file
awk '{print $1}' file
awk -F: '{ sum += $3 } END { print sum }' file
cut -d, -f1 x.csv
tr a-z A-Z < file
diff a b
chmod +x x.sh
chmod 644 file
chmod -R u+w build
chmod -x x.sh
chown user file
mkdir -p a/b/c
touch x
cp a b
cp -r src backup
cp ../x .
cp /etc/hosts hosts.txt
mv a b
mv *.txt docs/
mv build build.old
ln -s ../x y
ln -sf /usr/bin/python3 python
tee out.txt < in.txt
make 2>&1 | tee build.log
echo x > out
echo x >> out
ls > /dev/null 2>&1
make > /dev/null
command -v git >/dev/null || echo no
truncate -s 0 log.txt
dd if=/dev/zero of=disk.img bs=1M count=10
dd if=/dev/urandom bs=16 count=1 2>/dev/null | xxd
kill 1234
kill -9 1234
kill $!
kill %1
kill -0 1234
kill $(cat server.pid)
kill $(lsof -ti:3000)
kill -l
pkill -f vite
pkill node
killall node
ps aux | grep node | awk '{print $2}' | xargs kill
pgrep -fl node
sleep 1
sleep 5 &
nohup ./server > log 2>&1 &
timeout 5 ./x
time make
nice make
env FOO=1 make
xargs echo < list
seq 10 | xargs -n1 echo
ls *.bak | xargs rm
ls | wc -l
bash x.sh
sh ./build.sh
./configure && make
./x.sh --delete
bash -c 'echo hi'
sh -c "ls -la | head"
bash -c 'for i in 1 2; do echo $i; done'
source .venv/bin/activate && python x.py
. ./env.sh
export FOO=bar; echo $FOO
export PATH="$PATH:/x"
FOO=bar ./x
unset FOO
set -e; make
set -euo pipefail; cargo test
test -f x && echo yes
[ -d build ] && rm -rf build
[[ -f a.txt ]] || touch a.txt
if [ -f x ]; then cat x; else echo no; fi
case "$1" in a) echo a;; *) echo b;; esac
f() { echo hi; }; f
f() { rm -rf "$1/build"; }; f demo2
clean() { rm -rf build; }; clean
x=$(date +%s); echo $x
mkdir "out-$(date +%F)"
echo $((1+2))
echo $HOME
echo ~
echo *.txt
echo {a,b}
history
history -c
jobs
sqlite3 x.db 'select * from t'
psql -c 'select 1'
redis-cli get x
systemctl status nginx
systemctl --user list-units
journalctl -n 50
service nginx status
crontab -l
ip addr
ss -tlnp
netstat -an | grep LISTEN
ping -c 1 x.test
dig x.test
nc -z localhost 80
lsof -i :8080
lsblk
id
groups
sudo -l
sudo cat /var/log/syslog
apt list --installed
apt-cache search jq
brew list
tmp=$(mktemp -d); rm -rf "$tmp"
tmp=$(mktemp); echo x > "$tmp"; rm "$tmp"
rm -rf "$TMPDIR/x"
ffmpeg -i a.mp4 b.mp3
jq '.a' x.json
vim --version
code .
rsync -av src/ backup/
rsync -av --delete src/ backup/
terraform plan
aws s3 ls
gh pr list
ls -la && cd src && ls
(cd src && make)
{ echo a; echo b; } > out
echo a; echo b
a=1; b=2; echo $((a+b))
! grep -q x file
diff <(sort a) <(sort b)
cat <<< "rm -rf /"
grep -c "" <<< "x"
shutdown --help
gradle clean build
mvn clean install
dotnet build
flutter clean
terraform fmt
%%
|||
cat > x.txt <<'EOF'
rm -rf /
EOF
%%
|||
cat <<EOF
Danger: rm -rf $HOME
EOF
%%
|||
python3 - <<'EOF'
print("hello")
EOF
%%
|||
for f in *.c; do
  gcc -c "$f" -o "${f%.c}.o"
done
%%
|||
# build
mkdir -p build
cd build
cmake ..
make
%%
|||
bash <<'EOF'
echo hi
EOF
%%
|||
git commit -m "Remove things

rm -rf / is bad"
%%
|||
if [ -d node_modules ]; then
  rm -rf node_modules
fi
npm install
exec > >(tee build.log) 2>&1; make
cat ~/.ssh/config
docker compose exec web ls
docker run --rm -it alpine sh
docker stop web
kubectl apply -f k8s/
git clone --depth 1 https://github.com/a/b
git restore src/main.rs
git stash show -p
git push --tags
git reset HEAD~1
curl -sSLo data.json https://example.com/data.json
curl -s https://example.com | jq . > out.json
nc -zv example.com 443
ls *.log | xargs rm -f
for f in *; do echo "$f"; done
echo *.rs | wc -w
mv *.log logs/
rm -rf build/* dist/*
rm -rf "$(pwd)/build"
find . -name '*.tmp' | xargs rm -f
fd . src -x wc -l
parallel echo ::: a b c
while :; do curl -s localhost:8080 && break; sleep 1; done
./server & sleep 2; curl localhost:8080; kill %1
lsof -ti :8080 | xargs kill
perl -i.bak -ne 'print unless /x/' list.txt
tar -cf - src | gzip > src.tgz
zip -r a.zip . -x '*.git*'
cat .env
npm publish --dry-run
npx rimraf dist
"#;
