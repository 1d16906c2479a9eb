// Package seccomp turns the linux.seccomp object of config.json into a program
// for seccomp(2) and loads it.
//
// It owns the translation, the order of the checks inside a program, the cache
// of compiled programs and the tables that `features` prints. It imports fault and
// none of the packages around it: the parent compiles, init only loads.
//
// A program answers in two steps:
//
//	arch, nr ──▶ table ─┬─▶ RET action     the answer depends on the number only
//	                    ├─▶ RET ENOSYS     newer than all the profile names
//	                    └─▶ libseccomp     arguments, multiplexed calls, unknown
//	                                       architectures, the default action
//
// The table is a binary search over ranges of numbers, made here. What lies
// behind it is a program as libseccomp writes it, of those rules alone that the
// table cannot express. With everything in libseccomp the profile that Docker
// sends costs 10 ms to build, most of it in the generator, and 0.6 ms to load:
// the kernel tries each system call once on a program it is given, to know
// those it need not ask about (kernel/seccomp.c, seccomp_cache_prepare), and
// walks a linear list each time.
//
// The names of system calls come from libseccomp. Without cgo, or with the
// build tag noseccomp, Compile refuses every profile.
package seccomp
