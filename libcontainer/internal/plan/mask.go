package plan

// paths makes read-only what is to be seen only, and hides the rest. They are
// last of what is mounted, in the new root.
func (c *compiler) paths() {
	l := c.spec.Linux
	for i, path := range l.ReadonlyPaths {
		c.add(Step{Op: OpReadonlyPath, Field: index("linux.readonlyPaths", i), Path: path})
	}
	for i, path := range l.MaskedPaths {
		c.add(Step{Op: OpMaskPath, Field: index("linux.maskedPaths", i), Path: path, Value: l.MountLabel})
	}
}
