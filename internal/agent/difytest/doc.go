// Package difytest is a Dify server for tests of everything around it. It answers
// as recorded answers of Dify 1.16.0 do, refusals included: what a real server
// would not take, it does not take either.
package difytest
