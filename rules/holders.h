/*
 * holders.h - who holds each role here: what the document says and what the site adds, compiled
 * into the policy's lookups.
 */
#ifndef RULES_HOLDERS_H
#define RULES_HOLDERS_H

#include "rules/site.h"

int holders_build(struct site_loading *loading, struct err *err) MUST_CHECK;

#endif
