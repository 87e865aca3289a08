package reply

// abridge keeps as much of an answer as may be shown in so many messages; 0 means
// all of it. Text goes before files, of which it returns how many are kept. What
// is left of the text ends with the note when something is missing.
func abridge(texts []part, files, most, limit int, note string) (kept []part, keptFiles int) {
	if most <= 0 || len(texts)+files <= most {
		return texts, files
	}
	const between = "\n\n"
	room := min(max(most-files, 1), len(texts))
	last := &texts[room-1]
	if space := limit - len(between) - len(note); len(last.text) > space {
		last.text = Split(last.text, space, space)[0]
	}
	last.text += between + note
	return texts[:room], min(files, most-room)
}
