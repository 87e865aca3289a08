package app

import "context"

// NewForgetter and its Run and Stir are for tests of when it looks.
var NewForgetter = newForgetter

func (f *forgetter) Run(ctx context.Context) error { return f.run(ctx) }

func (f *forgetter) Stir() { f.stir() }
