# shellcheck shell=sh
# rung as it was built outside, Go and its modules from outside.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin
export GOMODCACHE=/usr/local/gomod GOFLAGS=-buildvcs=false GOPROXY=off GOTOOLCHAIN=local
