/*
 * reports.c - see reports.h: an acceptance in the form that is wanted.
 */
#include "monitor/acceptance/report_parts.h"

int report_write(const struct acceptance *acceptance, enum report_form form, FILE *file,
                 bool colour, struct err *err)
{
	switch (form) {
	case REPORT_HTML:
		return report_paper(acceptance, PAPER_HTML, file, err);
	case REPORT_JSON:
		return report_json(acceptance, file, err);
	case REPORT_JUNIT:
		return report_junit(acceptance, file, err);
	default:
		return report_paper(acceptance, colour ? PAPER_TERMINAL : PAPER_TEXT, file,
		                    err);
	}
}
