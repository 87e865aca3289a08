// Package archtest holds the house to its floor plan: which package may import
// which, what stands in doc.go, which files a platform has, and what may lie at
// the top level. The plan for people is internal/README.md.
package archtest
