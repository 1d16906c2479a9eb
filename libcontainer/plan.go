package libcontainer

import "encoding/json"

// Plan tells what Create with the same options would do, as indented JSON, and
// does nothing. It refuses what Create refuses before it makes anything. The
// document's form may change between versions.
func Plan(o CreateOptions) ([]byte, error) {
	c := newCreation(o)
	if err := checkID(o.ID); err != nil {
		return nil, err
	}
	if err := acceptable(o.Bundle.Spec); err != nil {
		return nil, err
	}
	if err := c.compile(); err != nil {
		return nil, err
	}
	return json.MarshalIndent(c.plan, "", "  ")
}
