// Package bridgetest has a scripted bot and a scripted agent for tests of
// everything that stands between the two, and connections without a network.
package bridgetest
