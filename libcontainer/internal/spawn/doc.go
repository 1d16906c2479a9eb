// Package spawn is the parent's side of create and exec: it starts the sealed
// executable as bootstrap, hands it the container's cgroups and namespaces,
// writes the id maps, sends init its plan and answers it until init is ready.
// Nothing here decides: what is done is in the plan.
//
//	Start ─▶ Bootstrap.Enter ─▶ Child.Map ─▶ Child.Namespaces ─▶ Child.Send
//	      ─▶ Child.Serve ─▶ Child.Release
//
// At any point Child.Kill ends what has been started.
package spawn
