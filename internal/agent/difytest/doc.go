// Package difytest is a Dify server for tests of everything around it. It answers
// as recorded answers of Dify 1.16.0 do, refusals included: what a real server
// would not take, it does not take either. Every recorded answer is compared with
// its own, byte for byte but for ids, times and addresses.
//
// A test says what the model behind an app says ([Answer]); the server makes the
// events of the app's kind out of it. A chatflow or workflow has one graph: start,
// a model, the end; with a person's decision instead of the model if the answer
// asks for one, or with the steps that it names.
package difytest
