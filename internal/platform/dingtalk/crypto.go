package dingtalk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// sign returns the signature of a robot request: the timestamp, as it stands in
// the header, and the secret are signed with the secret. The body is not part
// of it.
func sign(timestamp, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signed reports in constant time whether a signature is right.
func signed(signature, timestamp, secret string) bool {
	return secret != "" && hmac.Equal([]byte(signature), []byte(sign(timestamp, secret)))
}

// signClick returns the signature of a click on a card. Unlike that of a robot
// request, it has the secret as its key only.
func signClick(timestamp, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// clickSigned is signed for clicks.
func clickSigned(signature, timestamp, secret string) bool {
	return secret != "" && hmac.Equal([]byte(signature), []byte(signClick(timestamp, secret)))
}

// clickSecret is what clicks are signed with. It is made of the app's own secret,
// so that nobody has to keep it; who learns it learns nothing else.
func clickSecret(route, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("clicks for " + route))
	return hex.EncodeToString(mac.Sum(nil))
}
