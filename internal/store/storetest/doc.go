// Package storetest holds the contract of the store as a suite of tests, so that
// the same promises are checked on every database it can run on.
//
// Most tests run in a bubble of testing/synctest: hours pass in no time.
package storetest
