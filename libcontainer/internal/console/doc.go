// Package console owns pseudoterminals (pty(7)).
//
//	init                            parent
//	Open ─▶ SetSize                 detached:   Send ─▶ the engine's socket
//	  ├─ master ── SCM_RIGHTS ─────▶ foreground: NewProxy ⇄ caller's terminal
//	  └─ slave: MakeControlling                  Resize, Drain, Close
//
// Init opens a pty of the container's own devpts by handle, and its slave by
// ioctl, never by a path that the image could redirect (CVE-2025-52565). Who
// owns the slave, and where it is bound, is initproc's and rootfs's.
//
// It may not import what init may not: no network package, no signals.
package console
