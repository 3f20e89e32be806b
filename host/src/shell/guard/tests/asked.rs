//! Commands about which the person is asked: what cannot be decided, and what they may regret.

/// Asked, in a project.
pub(super) const ASKED: &str = r#"
rm -rf $BUILD
rm -rf "$(cat list)"
$CC x.c
"$EDITOR" x
eval "$(cat x)"
cat x.sh | sh
ssh host uptime
python3 -c "import shutil; shutil.rmtree('build')"
node -e "require('child_process').execSync('ls')"
docker run --privileged x
docker system prune -af
git push --force origin main
psql -c 'drop table x'
terraform destroy
systemctl restart nginx
crontab x
if then
echo "
rm -rf /tmp/build-1
rm -rf .git
rm -rf .
rm -rf *
rm *
rm -rf ../other
find . -delete
find . -type f -delete
git reset --hard
git reset --hard HEAD~1
git checkout -- .
apt-get install jq
aws s3 rm s3://x --recursive
"#;
