// Package libcontainer runs containers described by an OCI runtime bundle: a
// directory with a config.json and a root filesystem.
//
// A container is created, started, and deleted; between the two it can be
// joined by further processes, signalled and looked at:
//
//	ctr, err := libcontainer.Create(ctx, libcontainer.CreateOptions{Root: root, ID: "box", Bundle: dir})
//	err = ctr.Start(ctx)
//	code, err := ctr.Wait()
//	err = ctr.Delete(ctx, false)
//
// The first process of a container is this very program, executed again. A
// program that creates containers must therefore import the package
// github.com/rung-run/rung/nsenter in its main package, and hand over to Init
// before it does anything else; see Init.
//
// State lives in a directory tree below a root, /run/rung for the command.
// What a container's status is, is asked of the kernel each time; nothing runs
// between two calls.
package libcontainer
