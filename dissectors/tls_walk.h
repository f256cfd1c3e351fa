/*
 * tls_walk.h - follows the clear part of a TLS handshake, to learn of client certificates.
 */
#ifndef DISSECTORS_TLS_WALK_H
#define DISSECTORS_TLS_WALK_H

#include "dissectors/dissector.h"

/*
 * Takes the segment at hand (the packet's own payload) of a flow known to be TLS. Sets facts->mtls once
 * the handshake has shown it, and young->tls_over when it can show no more. A hole in the capture leaves
 * it unknown. `begins`: the segment begins with a hello.
 */
void tls_walk(struct look *look, bool begins);

#endif
