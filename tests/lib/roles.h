/*
 * roles.h - the sites that cases of judging stand in: nobody named, and a company where everybody
 * but other clients is.
 */
#ifndef TESTS_LIB_ROLES_H
#define TESTS_LIB_ROLES_H

#define NOBODY ""

#define COMPANY \
	"domains: [corp.example]\n" \
	"roles:\n" \
	"  dns-server: {addresses: [10.0.0.53]}\n" \
	"  dhcp-server: {addresses: [10.0.0.1]}\n" \
	"  maestro: {addresses: [10.0.0.44]}\n" \
	"  domain-controller: {addresses: [10.0.0.10]}\n" \
	"  sfb-auth: {addresses: [10.0.0.30]}\n" \
	"  autodiscover: {addresses: [10.0.0.31]}\n" \
	"  front-end: {addresses: [10.0.0.20]}\n" \
	"  edge: {addresses: [203.0.113.20], names: [sip.corp.example]}\n" \
	"  touch-controller: {addresses: [\"2001:db8::77\", 10.1.2.77]}\n"

#endif
