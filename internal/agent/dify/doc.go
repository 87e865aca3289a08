// Package dify asks an app of a Dify server, through the Service API that every
// Dify app has: https://docs.dify.ai/api-reference.
//
// One key belongs to one app, so an Agent is one app. Its kind is found out by
// GET /info and decides the path:
//
//	completion             /completion-messages   no memory of earlier questions
//	workflow               /workflows/run         no memory, answer in its outputs
//	chat, agent-chat,
//	advanced-chat, agent   /chat-messages         conversations
//
// Answers are always streamed; a server that sends plain JSON all the same is
// understood too. What is not obvious about the stream:
//
//   - A chatflow or workflow fails with workflow_finished and status "failed";
//     other apps send an error event. After message_end the answer is good
//     whatever a later workflow_finished says: a moderated chatflow ends so.
//   - message_end comes before workflow_finished in newer servers, after it in
//     older ones, and never for stopped, failed and paused runs. So after either
//     we listen on for a moment.
//   - A new-style agent streams agent_message and then repeats the whole answer
//     as one message.
//   - Once an answer has a file, a chat app may send text in message_file.
//   - A busy app is refused with status 400 and a sentence, not with 429.
//   - A chat app loses its answer when the connection breaks. A chatflow or
//     workflow goes on, and is taken up by its run's id.
//
// There are no idempotency keys. Ask therefore sends a question again only when
// the server refused it because the app is of another kind than we thought.
package dify
