#!/bin/bash
# agent.sh QUEUE: in the guest: runs the scripts QUEUE/1.sh, 2.sh … as they
# appear, one after the other. QUEUE/N.log is their output, N.status their exit
# code. A service runs it as root, another, of the user's systemd, as the user.
queue=$1
umask 022
if ((EUID == 0)); then
	ln -sf /checkout/rung /usr/local/sbin/rung # for people
fi
touch "$queue/ready"
for ((n = 1; ; n++)); do
	until [[ -e $queue/$n.sh ]]; do
		sleep 0.5
	done
	status=0
	cd / && bash -l "$queue/$n.sh" </dev/null >"$queue/$n.log" 2>&1 || status=$?
	# Renamed: it is there only when the output is.
	echo "$status" >"$queue/$n.status.new"
	mv "$queue/$n.status.new" "$queue/$n.status"
done
