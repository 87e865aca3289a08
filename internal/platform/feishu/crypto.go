package feishu

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

var (
	errBase64  = errors.New("not base64")
	errBlocks  = errors.New("not whole blocks")
	errPadding = errors.New("wrong padding")
)

// sign returns the signature of a request: over the body as it arrived, still
// encrypted, and with the encrypt key rather than the verification token.
func sign(timestamp, nonce, encryptKey string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(timestamp + nonce + encryptKey))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// signed reports in constant time whether a signature is right.
func signed(signature, timestamp, nonce, encryptKey string, body []byte) bool {
	return encryptKey != "" && same(signature, sign(timestamp, nonce, encryptKey, body))
}

// same compares two words in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// decrypt opens a ciphertext: an initial vector and AES-256 in CBC mode, with
// the hash of the encrypt key as the key.
func decrypt(encryptKey, ciphertext string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, errBase64
	}
	if len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 {
		return nil, errBlocks
	}
	key := sha256.Sum256([]byte(encryptKey))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, errBlocks // a hash is always a key
	}
	iv, data := data[:aes.BlockSize], data[aes.BlockSize:]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(data, data)
	return unpad(data)
}

// unpad takes PKCS#7 padding off.
func unpad(data []byte) ([]byte, error) {
	n := int(data[len(data)-1])
	if n < 1 || n > aes.BlockSize || n > len(data) {
		return nil, errPadding
	}
	pad := data[len(data)-n:]
	if !bytes.Equal(pad, bytes.Repeat(pad[:1], n)) {
		return nil, errPadding
	}
	return data[:len(data)-n], nil
}
