#!/bin/sh
# The last step of making the image: what must differ between machines, and what a container does not need.
set -eu
root=$1
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/munge/munge.key" "$root"/var/lib/dbus/machine-id
# Nobody waits for these, and they would start with wrong settings.
for unit in munge slurmctld slurmd slurmdbd mariadb ssh apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer; do
    chroot "$root" systemctl disable "$unit" >/dev/null 2>&1 || true
done
# sshd is started for each connection, without its service.
echo 'd /run/sshd 0755 root root' >"$root/etc/tmpfiles.d/sshd.conf"
mkdir -p "$root/opt/app" "$root/opt/pkgs"
