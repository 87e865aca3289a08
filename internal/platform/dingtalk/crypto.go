package dingtalk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
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
