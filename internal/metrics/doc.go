// Package metrics counts and measures, and writes the numbers in the text
// format that Prometheus reads.
//
// It is a page of code instead of the official client, because we need three
// kinds of metric and none of its dependencies. The format is described under
// "Exposition formats" in the Prometheus documentation.
package metrics
