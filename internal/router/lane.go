package router

import (
	"net/url"

	"switchboard/internal/bridge"
)

// GroupPolicy says who shares a conversation in a group chat.
type GroupPolicy string

// The policies.
const (
	GroupShared    GroupPolicy = "shared" // everybody in the group; the default
	GroupPerMember GroupPolicy = "member" // nobody: each member has one of their own
	GroupPerThread GroupPolicy = "thread" // everybody in a thread
)

// A lane begins with what it is and ends with its agent; the parts in between
// are such that no two chats or people can have the same one. In a group it is
// the platform's user who counts, not the person: a linked identity brings
// nothing into a group.

func directLane(person, agent string) string { return "p:" + person + ":" + agent }

func groupLane(m bridge.Message, policy GroupPolicy, agent string) string {
	chat := m.Chat.ID + ":" + agent
	switch {
	case policy == GroupPerMember:
		return "gm:" + m.Bot + ":" + url.QueryEscape(m.Sender.Tenant) + "/" + url.QueryEscape(string(m.Sender.ID)) + ":" + chat
	case policy == GroupPerThread && m.Chat.Thread != "":
		return "gt:" + m.Bot + ":" + url.QueryEscape(m.Chat.Thread) + ":" + chat
	default:
		return "g:" + m.Bot + ":" + chat
	}
}

// aside is the lane of commands that must not wait for others of their lane.
func aside(lane string) string { return "o:" + lane }

// scope names everything an aside command is about: all direct chats of a person,
// or one group.
func scope(m bridge.Message, person string) string {
	if m.Chat.Kind == bridge.Group {
		return "g:" + chatKey(m)
	}
	return "p:" + person
}

// chatKey names a chat for ever.
func chatKey(m bridge.Message) string { return m.Bot + "/" + m.Chat.ID }
