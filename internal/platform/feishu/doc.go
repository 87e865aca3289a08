// Package feishu connects a bot to Feishu (飞书), or to Lark, as the bot of a
// self-built app.
package feishu
