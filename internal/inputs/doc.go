// Package inputs decides what an agent is told beside the question: which value
// each variable of its form gets, and what is wrong with those that the settings
// name. The agent fills its form with it, and the window shows it beforehand.
package inputs
