#!/bin/sh
# Starts Slurm in a container: munge, a controller, a daemon for the node; and makes the user alice.
set -eu
# The C library finds no address at all on a machine whose only one is 127.0.0.1.
ip address add 127.0.0.2/8 dev lo
dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 status=none
chown munge: /etc/munge/munge.key
chmod 0400 /etc/munge/munge.key
mkdir -p /run/gpu /run/munge /run/slurm /var/lib/slurm/slurmctld /var/log/slurm
chown munge: /run/munge /var/log/munge /var/lib/munge
chown slurm: /run/slurm /var/lib/slurm /var/lib/slurm/slurmctld /var/log/slurm
ln -s /dev/null /run/gpu/0
cp /kernels/slurm.conf /kernels/gres.conf /etc/slurm/
useradd --create-home --shell /bin/bash alice
setpriv --reuid=munge --regid=munge --clear-groups munged
slurmctld
slurmd -N n1
