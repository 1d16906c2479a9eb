package spawn

import "context"

// AtEnd calls end when ctx ends. The function it gives says that it is not to be
// called any more, and waits for a call that has begun.
func AtEnd(ctx context.Context, end func()) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		end()
	})
	return func() {
		if !stop() {
			<-ended
		}
	}
}
