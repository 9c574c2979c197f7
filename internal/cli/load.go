package cli

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cast"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

const envPrefix = "ROOMRING"

// envName returns the name of the variable that sets a flag.
func envName(flag string) string {
	return envPrefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// load sets each flag that is not on the command line from its ROOMRING_… variable or, without one, from the config file. Then
// it validates the settings. An empty variable counts as unset. Every error is a usage error, for exit code 2.
func (s *settings) load() error {
	v := viper.New()
	v.SetEnvPrefix(envPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	if !s.all.Changed("config") {
		s.file = v.GetString("config")
	}
	if err := s.readFile(v); err != nil {
		return err
	}
	var errs []error
	s.all.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || !v.IsSet(f.Name) {
			return
		}
		if err := assign(f, v.Get(f.Name)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.origin(f.Name), err))
		}
	})
	if len(errs) > 0 {
		return errs[0]
	}
	if err := s.readStore(); err != nil {
		return err
	}
	return s.Validate()
}

// readStore reads the store's URL from --store-file, if it is set. No error repeats the file's content.
func (s *settings) readStore() error {
	if s.StoreFile == "" {
		if u, err := url.Parse(s.Store); err == nil && s.all.Changed("store") {
			_, s.StoreExposed = u.User.Password()
		}
		return nil
	}
	if s.Store != "" {
		return errors.New("--store and --store-file both name the store: give one of them")
	}
	text, err := os.ReadFile(s.StoreFile)
	if err != nil {
		return fmt.Errorf("--store-file: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if s.Store = strings.TrimSpace(first); s.Store == "" {
		return fmt.Errorf("--store-file %s: its first line is empty: write postgres://user:password@host/database there", s.StoreFile)
	}
	return nil
}

// readFile reads the config file, if there is one, and refuses unknown keys.
func (s *settings) readFile(v *viper.Viper) error {
	if s.file == "" {
		return nil
	}
	v.SetConfigFile(s.file)
	if err := v.ReadInConfig(); err != nil {
		if _, ok := errors.AsType[viper.UnsupportedConfigError](err); ok {
			return fmt.Errorf("config file %s: name it .yaml, .json or .toml", s.file)
		}
		return fmt.Errorf("config file: %w", err)
	}
	keys := v.AllKeys()
	slices.Sort(keys)
	for _, key := range keys {
		if key == "config" || s.all.Lookup(key) == nil {
			return fmt.Errorf("config file %s: unknown key %q%s", s.file, key, s.suggest(key))
		}
	}
	return nil
}

// suggest returns a hint if an unknown key resembles a setting, or "".
func (s *settings) suggest(key string) string {
	plain := strings.NewReplacer("_", "-", ".", "-").Replace(key)
	if s.all.Lookup(plain) != nil {
		return fmt.Sprintf("; did you mean %q?", plain)
	}
	return ""
}

// origin names the source of a value that is not from the command line.
func (s *settings) origin(flag string) string {
	if os.Getenv(envName(flag)) != "" {
		return envName(flag)
	}
	return fmt.Sprintf("config file %s: %s", s.file, flag)
}

// assign parses value as the command line does. For a list it also accepts a list of the config file.
func assign(f *pflag.Flag, value any) error {
	if list, ok := value.([]any); ok {
		slice, ok := f.Value.(pflag.SliceValue)
		if !ok {
			return errors.New("takes one value, not a list")
		}
		return slice.Replace(cast.ToStringSlice(list))
	}
	text, err := cast.ToStringE(value)
	if err != nil {
		return fmt.Errorf("takes a value, not a %T", value)
	}
	if err := f.Value.Set(text); err != nil {
		return fmt.Errorf("%q is not valid: %w", text, plainError(err))
	}
	return nil
}

// plainError returns the cause of a strconv error, without the names of its functions.
func plainError(err error) error {
	if num, ok := errors.AsType[*strconv.NumError](err); ok {
		return num.Err
	}
	return err
}
