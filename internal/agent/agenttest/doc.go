// Package agenttest is what every agent has to pass: Run checks one against the
// whole contract of bridge.Agent and the optional interfaces, with a scripted
// stand-in of its server that the agent's tests bring.
package agenttest
