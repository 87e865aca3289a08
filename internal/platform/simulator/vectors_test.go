package simulator_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"switchboard/internal/platform/simulator"
)

func vectors(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// TestFeishuVectors are those of the documentation and of the platform's SDKs.
func TestFeishuVectors(t *testing.T) {
	t.Parallel()
	var all []struct{ Name, Key, IV, Ciphertext, Plain string }
	vectors(t, "feishu.json", &all)
	if len(all) != 4 {
		t.Errorf("%d vectors", len(all))
	}
	for _, v := range all {
		iv, err := hex.DecodeString(v.IV)
		if err != nil {
			t.Fatal(err)
		}
		if got := simulator.FeishuSeal([]byte(v.Plain), v.Key, iv); got != v.Ciphertext {
			t.Errorf("%s is encrypted to %s", v.Name, got)
		}
		if got := feishuOpen(t, v.Ciphertext, v.Key); got != v.Plain {
			t.Errorf("%s is decrypted to %s", v.Name, got)
		}
	}
	for _, v := range [][5]string{
		{"1626947018", "64607134", "fake-xx", "{fake}", "7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06"},
		{"1700000000", "nonce123", "test key", `{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}`, "669e3ed5328644f71370e3249f96af0fd17e5ed4d7b178c44f11f7997339e344"},
	} {
		if got := simulator.FeishuSign(v[0], v[1], v[2], []byte(v[3])); got != v[4] {
			t.Errorf("%v is signed %s", v, got)
		}
	}
}

// feishuOpen decrypts the way a receiver does.
func feishuOpen(t *testing.T, sealed, key string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(data) < 32 || len(data)%16 != 0 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	hash := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(hash[:])
	if err != nil {
		t.Fatal(err)
	}
	plain := make([]byte, len(data)-16)
	cipher.NewCBCDecrypter(block, data[:16]).CryptBlocks(plain, data[16:])
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > 16 {
		t.Fatalf("the padding is %d", pad)
	}
	return string(plain[:len(plain)-pad])
}

// TestWecomVectors are those of the platform's demonstrations and libraries.
func TestWecomVectors(t *testing.T) {
	t.Parallel()
	var all []struct {
		Name, Token, Timestamp, Nonce, Ciphertext, Msg, ReceiveID string
		AESKey                                                    string `json:"aes_key"`
		Signature                                                 string `json:"msg_signature"`
		Salt                                                      string `json:"random16_hex"`
	}
	vectors(t, "wecom.json", &all)
	if len(all) != 12 {
		t.Errorf("%d vectors", len(all))
	}
	for _, v := range all {
		key, err := base64.StdEncoding.DecodeString(v.AESKey + "=")
		if err != nil {
			t.Fatal(err)
		}
		salt, err := hex.DecodeString(v.Salt)
		if err != nil {
			t.Fatal(err)
		}
		if got := simulator.WecomSeal(key, salt, []byte(v.Msg), v.ReceiveID); got != v.Ciphertext {
			t.Errorf("%s is encrypted to %s", v.Name, got)
		}
		if got := simulator.WecomSign(v.Token, v.Timestamp, v.Nonce, v.Ciphertext); got != v.Signature {
			t.Errorf("%s is signed %s", v.Name, got)
		}
	}
}

// TestDingVectors are those of the documentation and of other implementations.
func TestDingVectors(t *testing.T) {
	t.Parallel()
	for _, v := range [][3]string{
		{"1577262236757", "this is a secret", "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="},
		{"1577262236757", "this is secret", "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="},
		{"1700000000000", "SEC1234567890abcdef", "RqBq3E1RTBDv3n2QBCh4adZ2WHk9mVklyUoDBLxarjI="},
		{"1684493546276", "client-secret-for-test", "nwBJQmaBLv9+5/sSS/66jcFc1/kGY5wo38L88LOGfRU="},
	} {
		if got := simulator.DingSign(v[0], v[1]); got != v[2] {
			t.Errorf("%v is signed %s", v, got)
		}
	}
	for _, v := range [][3]string{ // of clicks, computed with OpenSSL
		{"1577262236757", "example-secret", "9EQUhx+gSqHfgSF/OnOV2ifDC9m1VzjPj00L/WOZeew="},
		{"1546084445901", "testappSecret", "HCbG3xNE3vzhO+u7qCUL1jS5hsu2n5r2cFhnTrtyDAE="},
	} {
		if got := simulator.DingClickSign(v[0], v[1]); got != v[2] {
			t.Errorf("the click %v is signed %s", v, got)
		}
	}
}

// wecomPlain decrypts with a padding of 32 and returns what is inside: random
// bytes, the length, the message and the receiver.
func wecomPlain(t *testing.T, key []byte, sealed string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(data) == 0 || len(data)%32 != 0 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(data, data)
	return string(data[:len(data)-int(data[len(data)-1])])
}
