// Package platformtest is what every connector has to pass: Run checks one
// against the whole contract of bridge.Connector, bridge.Bot and the optional
// interfaces, with a fake of its platform that the connector's tests bring.
package platformtest
