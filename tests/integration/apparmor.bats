#!/usr/bin/env bats
# process.apparmorProfile and exec --apparmor, where the kernel has AppArmor.

load helpers

setup() {
	new_bundle
	require apparmor apparmor_parser
	PROFILE=$ID
	echo secret >rootfs/secret
	profile "$PROFILE" 'deny /secret r,'
}

teardown() {
	end_test
	if [[ -n ${PROFILE:-} ]]; then
		unload "$PROFILE"
		unload "$PROFILE-2"
	fi
}

# profile NAME RULE loads a profile that allows everything, but for the rule.
profile() {
	apparmor_parser --replace --skip-cache <<-END
		profile $1 flags=(attach_disconnected,mediate_deleted) {
			file, capability, network, mount, umount, pivot_root, signal, ptrace, dbus, unix,
			$2
		}
	END
}

unload() {
	! grep -q "^$1 " /sys/kernel/security/apparmor/profiles || echo -n "$1" >/sys/kernel/security/apparmor/.remove
}

@test "apparmor: the container is confined by its profile" {
	config '.process.apparmorProfile = $p' --arg p "$PROFILE"
	args sh -c 'cat /proc/self/attr/current; cat /secret; echo end'
	run -0 rung run "$ID"
	[ "${lines[0]}" = "$PROFILE (enforce)" ]
	[[ ${lines[1]} == *'/secret'*'Permission denied' ]]
	[ "${lines[2]}" = end ]
}

@test "apparmor: without a profile it is not confined" {
	args cat /proc/self/attr/current /secret
	run -0 rung run "$ID"
	[ "$output" = $'unconfined\nsecret' ]
}

@test "apparmor: exec has the container's profile, or the one it is given" {
	profile "$PROFILE-2" 'deny /other r,'
	config '.process.apparmorProfile = $p' --arg p "$PROFILE"
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" cat /proc/self/attr/current
	[ "$output" = "$PROFILE (enforce)" ]
	run ! rung exec "$ID" cat /secret
	run -0 rung exec --apparmor "$PROFILE-2" "$ID" cat /proc/self/attr/current /secret
	[ "$output" = "$PROFILE-2 (enforce)"$'\nsecret' ]
}

@test "apparmor: a profile that is not loaded is refused, and nothing runs" {
	config '.process.apparmorProfile = "not-loaded"'
	args touch /ran
	run -1 rung run "$ID"
	[[ $output == *'process.apparmorProfile: '*not-loaded* ]]
	[ ! -e rootfs/ran ]
	[ ! -e "$STATE/$ID" ]
	config 'del(.process.apparmorProfile) | .process.args = ["sleep", "1000"]'
	run -0 rung run -d "$ID"
	run -255 rung exec --apparmor not-loaded "$ID" touch /ran
	[[ $output == *not-loaded* ]]
	[ ! -e rootfs/ran ]
}

@test "apparmor: no_new_privs or not, in a user namespace or not" {
	config '.process.apparmorProfile = $p | .process.noNewPrivileges = false' --arg p "$PROFILE"
	args cat /proc/self/attr/current
	run -0 rung run "$ID"
	[ "$output" = "$PROFILE (enforce)" ]
	user_namespace
	run -0 rung run "$ID"
	[ "$output" = "$PROFILE (enforce)" ]
	config '.process.noNewPrivileges = true'
	run -0 rung run "$ID"
	[ "$output" = "$PROFILE (enforce)" ]
}
