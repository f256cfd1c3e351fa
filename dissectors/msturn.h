/*
 * msturn.h - what MS-TURN's two dissectors, over UDP and over TCP, have in common.
 */
#ifndef DISSECTORS_MSTURN_H
#define DISSECTORS_MSTURN_H

#include "dissectors/list.h"

/* One MS-TURN message that takes up look->data exactly. */
enum answer msturn_message(struct look *look);

#endif
