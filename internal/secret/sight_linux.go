package secret

import (
	"errors"

	ss "github.com/zalando/go-keyring/secret_service"
)

// Locked implements lookable. It reads the property of the collection that Get
// would unlock; only Unlock may prompt
// (https://specifications.freedesktop.org/secret-service-spec/latest/).
func (system) Locked() (bool, error) {
	if err := session(); err != nil {
		return false, err
	}
	keeper, err := ss.NewSecretService()
	if err != nil {
		return false, err
	}
	value, err := keeper.GetLoginCollection().GetProperty("org.freedesktop.Secret.Collection.Locked")
	if err != nil {
		return false, err
	}
	locked, ok := value.Value().(bool)
	if !ok {
		return false, errors.New("the keyring does not tell whether it is open")
	}
	return locked, nil
}
