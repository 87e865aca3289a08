package wecom

// An app's answers cannot grow on screen, so its bot is no bridge.Streamer: a
// message that was sent cannot be changed any more (only template cards can, once
// and within 72 hours, page 94888), and sending a recalled message again would
// make every telephone ring. Answers are sent when they are complete. Streaming
// exists for WeCom's AI bots alone.
