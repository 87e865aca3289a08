# Switchboard (总机). `make run` and `make test` are all a newcomer needs.
SHELL := /bin/bash
export CC ?= clang
ifeq ($(origin CC),default)
export CC := clang
endif
export CGO_LDFLAGS := -fuse-ld=lld
BUILD := clang lld pkg-config libgl1-mesa-dev xorg-dev libwayland-dev libxkbcommon-dev
CHECK := xvfb xauth libgl1-mesa-dri dbus gnome-keyring postgresql
DESKTOP := ./cmd/switchboard/... ./ui/...
# Everything without a window, and so without cgo.
PLAIN := ./internal/... ./assets/... ./cmd/switchboardd/...
RACE := ./internal/inbox ./internal/reply ./internal/engine ./internal/journal ./internal/webhook ./internal/router ./internal/health ./internal/lifecycle ./internal/quota ./internal/token ./internal/pace ./internal/people ./internal/privacy ./internal/agent/... ./internal/platform/... ./internal/app
VULNDB := https://vuln.go.dev
TOOL = go -C .tools/$(1) tool -n $(1)

.PHONY: help run test check unit race desktop stores lint fmt vet bench chaos fuzz vuln build packages-build packages-check
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## Build and start the app (without a display: the demonstration in the terminal)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then $(MAKE) --no-print-directory packages-build && go build -o .bin/switchboard ./cmd/switchboard && exec .bin/switchboard; \
	else echo "No display here: playing the demonstration in the terminal (switchboardd demo)."; \
	  CGO_ENABLED=0 go build -o .bin/switchboardd ./cmd/switchboardd && exec .bin/switchboardd demo; fi

test: packages-build packages-check check ## Run everything CI runs (installs what is missing)

check: vet lint unit race desktop stores vuln ## The same, without installing anything
	@gofmt -l cmd internal ui assets | (! grep .) || (echo "not formatted: run make fmt"; exit 1)
	@go test ./internal/archtest # once more, so that the runner's own lines come last

unit: ## Tests without a window
	CGO_ENABLED=0 go test -timeout 30m $(PLAIN)

race: ## The core under the race detector
	go test -race -timeout 30m $(RACE)

desktop: ## The window with the test driver under the race detector, then the real program under Xvfb
	go test -race -tags test ./ui/...
	CGO_ENABLED=0 go test -tags ci ./cmd/switchboard/...
	go build -o .bin/switchboard ./cmd/switchboard

stores: ## The store on PostgreSQL and the secrets in a real keyring
	internal/store/testdata/postgres.sh go test -count=1 ./internal/store/...
	CGO_ENABLED=0 internal/secret/testdata/keyring.sh go test -count=1 -run RealKeyring ./internal/secret/

vet: ## go vet
	CGO_ENABLED=0 go vet $(PLAIN)
	CGO_ENABLED=0 go vet -tags ci $(DESKTOP)

lint: ## golangci-lint and the check of sealed types
	CGO_ENABLED=0 $$($(call TOOL,golangci-lint)) run --build-tags ci ./...
	CGO_ENABLED=0 $$($(call TOOL,go-check-sumtype)) ./internal/...

fmt: ## Format everything
	$$($(call TOOL,golangci-lint)) fmt ./...

vuln: ## Known vulnerabilities, where the database can be reached (VULNDB=file:///… for a copy)
	@if [[ $(VULNDB) == file:* ]] || curl -sfm 5 -o /dev/null $(VULNDB)/index/modules.json; then \
	  CGO_ENABLED=0 $$($(call TOOL,govulncheck)) -db $(VULNDB) -tags ci ./...; \
	else echo "$(VULNDB) cannot be reached: govulncheck skipped"; fi

bench: ## Benchmarks, as ratios within one run
	CGO_ENABLED=0 go test -run '^$$' -bench . ./internal/store
	CGO_ENABLED=0 go test -run '^$$' -bench 'FirstText|RoundTrip' -benchtime 20x ./internal/app
	CGO_ENABLED=0 go test -run '^$$' -bench Accept -benchtime 20000x ./internal/app

chaos: ## Kill the program at random under load for two minutes (CHAOS='-chaos.people=300 -chaos.messages=1000000 -chaos.kills=1000 -chaos.life=10s -chaos.feishu=40' for longer)
	CGO_ENABLED=0 go test -count=1 -timeout 0 -v -run '^TestChaos$$' ./cmd/switchboardd $(or $(CHAOS),-chaos.people=100 -chaos.messages=100000 -chaos.kills=1000 -chaos.for=2m)

fuzz: ## Fuzz every decoder for a minute each (FUZZTIME=10m for longer)
	@for p in $$(grep -rl '^func Fuzz' --include=*_test.go internal | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' $$p/*_test.go | cut -c6-); do \
	    CGO_ENABLED=0 go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-1m} ./$$p || exit 1; done; done

build: packages-build ## Both programs into .bin/
	go build -trimpath -tags migrated_fynedo -ldflags '-s -w' -o .bin/switchboard ./cmd/switchboard
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o .bin/switchboardd ./cmd/switchboardd

packages-build:
	@.tools/packages $(BUILD)

packages-check:
	@.tools/packages $(CHECK)
