// Package pace keeps the calls of a bot to the limits of its platform. Those who
// wait for the same limit take turns by chat: a group in which a hundred people
// ask at once does not have everybody else wait behind it. When the platform
// itself asks for patience, nobody calls until that is over.
package pace
