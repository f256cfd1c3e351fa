/*
 * paper_html.c - a document as one HTML file that needs nothing else: no script, no font, no image from
 * anywhere, and a policy in its head that forbids them, should anything ever slip through. Colours follow
 * the reader's light or dark; paper is white. Nothing is said by colour alone.
 */
#include "monitor/commands/paper_form.h"

static const char HEAD[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n<title>";

static const char STYLE[] =
	"</title>\n<style>\n"
	":root{--page:#fff;--ink:#1b1f24;--soft:#5b6570;--line:#d5dae0;--band:#f4f6f8;"
	"--good:#1a7f4b;--doubt:#9a6700;--bad:#c6262e;--quiet:#8a939c}\n"
	"@media(prefers-color-scheme:dark){:root{--page:#15181c;--ink:#e4e7eb;--soft:#a2abb5;--line:#353c44;"
	"--band:#1d2126;--good:#4cc38a;--doubt:#e2b340;--bad:#ff6b6b;--quiet:#7d8791}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:70rem;padding:1.5rem;background:var(--page);color:var(--ink);"
	"font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem;overflow-wrap:anywhere}\n"
	"h2{font-size:1.1rem;margin:2rem 0 .5rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}\n"
	"h3{font-size:1rem;margin:1.25rem 0 .25rem;padding-left:.6rem;border-left:4px solid var(--line);overflow-wrap:anywhere}\n"
	"h3.good{border-color:var(--good)}h3.doubt{border-color:var(--doubt)}h3.bad{border-color:var(--bad)}"
	"h3.good,h3.doubt,h3.bad{color:var(--ink)}\n"
	"h3+p,h3+p+p{margin:.15rem 0}h3+p+p{color:var(--soft)}\n"
	"p{margin:.5rem 0;max-width:48rem;overflow-wrap:anywhere}\n"
	".lead{font-size:1.1rem;padding:.75rem 1rem;background:var(--band);border-left:5px solid var(--quiet)}\n"
	".lead.good{border-color:var(--good)}.lead.doubt{border-color:var(--doubt)}.lead.bad{border-color:var(--bad)}\n"
	".lead.good{background:color-mix(in srgb,var(--good) 14%,var(--page))}"
	".lead.doubt{background:color-mix(in srgb,var(--doubt) 14%,var(--page))}"
	".lead.bad{background:color-mix(in srgb,var(--bad) 12%,var(--page))}\n"
	"ul{margin:.5rem 0;padding-left:1.25rem}li{margin:.2rem 0;overflow-wrap:anywhere}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.25rem;margin:.5rem 0}\n"
	"dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
	"pre,td.cmd{font:13px/1.5 ui-monospace,monospace}\n"
	"pre{margin:.4rem 0;padding:.5rem .75rem;background:var(--band);border-radius:4px;overflow-x:auto;"
	"white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"details{margin:.15rem 0;font-size:.9rem}summary{cursor:pointer;overflow-wrap:anywhere}"
	"details>:not(summary){margin-left:1.1rem}\n"
	".blank{display:flex;align-items:flex-end;max-width:36rem;height:2.75rem}"
	".blank span{width:6rem}.blank::after{content:'';flex:1;border-bottom:1px solid var(--ink)}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}\n"
	"th{font-weight:600;text-align:left;color:var(--soft);white-space:nowrap}\n"
	"th,td{padding:.3rem .75rem .3rem 0;vertical-align:top}\n"
	"tr.row>td{border-top:1px solid var(--line)}\n"
	"tr.on>td{padding-top:0;color:var(--soft);overflow-wrap:anywhere}\n"
	"td.wrap{overflow-wrap:anywhere;min-width:7rem}\n"
	"td.num{white-space:nowrap}.num{text-align:right}.good{color:var(--good)}.doubt{color:var(--doubt)}.bad{color:var(--bad)}"
	".bad,.doubt{font-weight:600}.quiet{color:var(--soft)}\n"
	"p.lead,li.bad,li.doubt{color:var(--ink);font-weight:inherit}li.bad::marker{color:var(--bad);content:'! '}\n"
	"svg{display:block;width:100%;min-width:56rem;height:auto;margin:.75rem 0;font:11px system-ui,sans-serif}\n"
	"svg text{fill:var(--soft)}svg .name{fill:var(--ink)}\n"
	"@media print{:root{--page:#fff;--ink:#000;--soft:#444;--line:#bbb;--band:#f4f6f8;--good:#1a7f4b;"
	"--doubt:#8a5d00;--bad:#b01e26;--quiet:#777}\n"
	"body{max-width:none;padding:0;font-size:9.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
	"details{font-size:8.5pt;margin:0}table{font-size:8.5pt}pre,td.cmd{font-size:8pt}h2,h3{break-after:avoid}tr,svg,dl,li,.blank{break-inside:avoid}"
	"tr.row:has(+tr.on){break-after:avoid}thead{display:table-header-group}.wide{overflow:visible}svg{min-width:0}}\n"
	"@page{size:A4;margin:15mm}\n"
	"</style>\n</head>\n<body>\n<h1>";

static const char *const TONES[] = {
	[TONE_PLAIN] = "",  [TONE_GOOD] = "good",   [TONE_DOUBT] = "doubt",
	[TONE_BAD] = "bad", [TONE_QUIET] = "quiet",
};

void html_put(FILE *file, const char *text)
{
	CLEANUP(freep) char *visible = text_visible(text);

	for (const char *c = visible ? visible : ""; *c; c++)
		switch (*c) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		case '\'':
			fputs("&#39;", file);
			break;
		default:
			fputc(*c, file);
		}
}

static void put(FILE *file, const char *before, const char *text, const char *after)
{
	fputs(before, file);
	html_put(file, text);
	fputs(after, file);
}

static void html_begin(FILE *file, const char *title)
{
	put(file, HEAD, title, STYLE);
	put(file, "", title, "</h1>\n");
}

static void html_lead(FILE *file, enum tone tone, const char *text)
{
	fprintf(file, "<p class=\"lead %s\">", TONES[tone]);
	put(file, "", text, "</p>\n");
}

static void html_head(FILE *file, const char *text)
{
	put(file, "<h2>", text, "</h2>\n");
}

static void html_subhead(FILE *file, enum tone tone, const char *text)
{
	fprintf(file, "<h3 class=\"%s\">", TONES[tone]);
	put(file, "", text, "</h3>\n");
}

static void html_say(FILE *file, const char *text)
{
	put(file, "<p>", text, "</p>\n");
}

static void html_item(FILE *file, enum tone tone, const char *text)
{
	fprintf(file, tone ? "<li class=\"%s\">" : "<li>", TONES[tone]);
	put(file, "", text, "</li>\n");
}

static void html_fact(FILE *file, const char *name, const char *text)
{
	put(file, "<dt>", name, "</dt>");
	put(file, "<dd>", text, "</dd>\n");
}

static void html_command(FILE *file, const char *text)
{
	put(file, "<pre>", text, "</pre>\n");
}

void html_put_lines(FILE *file, const char *lines)
{
	CLEANUP(freep) char *copy = strdup(lines);
	char *rest = copy, *line;

	/* strsep(): a sanitizer's strcspn() and strndup() measure all that follows, at every line. */
	while ((line = strsep(&rest, "\n")) && (rest || *line))
		put(file, "", line, "\n");
}

static void html_lines(FILE *file, const char *lines)
{
	fputs("<pre>", file);
	html_put_lines(file, lines);
	fputs("</pre>\n", file);
}

static void html_blank(FILE *file, const char *name)
{
	put(file, "<p class=\"blank\"><span>", name, "</span></p>\n");
}

static void html_fold(FILE *file, bool open, const char *text)
{
	put(file, open ? "<details open><summary>" : "<details><summary>", text,
	    "</summary>\n");
}

static void html_fold_end(FILE *file)
{
	fputs("</details>\n", file);
}

static void html_block(FILE *file, enum block block, bool begins)
{
	static const char *const tags[][2] = {
		[BLOCK_ITEMS] = {"<ul>\n", "</ul>\n"},
		[BLOCK_FACTS] = {"<dl>\n", "</dl>\n"},
		[BLOCK_DRAWING] = {"<div class=\"wide\">\n", "</div>\n"},
	};

	fputs(tags[block][!begins], file);
}

static void put_on(FILE *file, size_t columns, const char *class, const char *text)
{
	fprintf(file, "<tr class=\"on\"><td class=\"%s\" colspan=\"%zu\">", class, columns);
	put(file, "", text, "</td></tr>\n");
}

static void put_row(FILE *file, const struct paper_table *table, const struct paper_row *row)
{
	fputs("<tr class=\"row\">", file);
	for (size_t i = 0; i < table->count; i++) {
		unsigned flags = table->columns[i].flags;

		fprintf(file, "<td class=\"%s%s%s\">", TONES[row->tones[i]],
		        flags & PAPER_RIGHT ? " num" : "",
		        flags & (PAPER_WRAP | PAPER_ABOVE) ? " wrap" : "");
		put(file, "", row->cells[i] ? row->cells[i] : "", "</td>");
	}
	fputs("</tr>\n", file);
	if (row->note)
		put_on(file, table->count, "", row->note);
	if (row->command)
		put_on(file, table->count, "cmd", row->command);
}

static void html_table(FILE *file, const struct paper_table *table)
{
	fputs("<div class=\"wide\"><table>\n<thead><tr>", file);
	for (size_t i = 0; i < table->count; i++)
		put(file, table->columns[i].flags & PAPER_RIGHT ? "<th class=\"num\">" : "<th>",
		    table->columns[i].title, "</th>");
	fputs("</tr></thead>\n<tbody>\n", file);
	for (size_t i = 0; i < table->row_count; i++)
		put_row(file, table, &table->rows[i]);
	fputs("</tbody>\n</table></div>\n", file);
}

static void html_end(FILE *file)
{
	fputs("</body>\n</html>\n", file);
}

const struct paper_forming PAPER_AS_HTML = {
	.begin = html_begin,
	.lead = html_lead,
	.head = html_head,
	.subhead = html_subhead,
	.say = html_say,
	.item = html_item,
	.fact = html_fact,
	.command = html_command,
	.lines = html_lines,
	.blank = html_blank,
	.fold = html_fold,
	.fold_end = html_fold_end,
	.table = html_table,
	.block = html_block,
	.end = html_end,
	.draws = true,
};
