package simulator

// What the tests of the vectors need; the package's own users do not.
var (
	FeishuSign    = feishuSign
	FeishuSeal    = feishuSeal
	WecomSign     = wecomSign
	WecomSeal     = wecomSeal
	DingClickSign = dingClickSign
	DingSign      = dingSign
)
