/*
 * endpoints.c - see endpoints.h. The file is a list of sets; any member of a set may be missing,
 * members we do not know are passed over. `required` is false where it is missing. Ports are
 * left aside: the documented rows name theirs.
 */
#include "rules/endpoints.h"

#include "rules/form.h"

/* Names in an endpoint list may hold placeholders, "<tenant>.sharepoint.com": any text there. */
static int read_url(const struct yaml *node, struct arena *arena, char **ret_name,
                    struct err *err)
{
	const char *text = "", *open, *close;
	char shown[SHOWN_MAX], *name;
	int r = yaml_text(node, &text, err);

	if (r < 0)
		return r;
	open = strchr(text, '<');
	close = open ? strchr(open, '>') : NULL;
	if (!close)
		return value_name(node, arena, ret_name, err);
	if (strlen(text) > NAME_MAX_LEN)
		return yaml_fail(node, err, "'%s' is no host name", text_shown(text, shown));
	name = arena_take(arena, strlen(text) + 1);
	if (!name)
		return err_set(err, -ENOMEM, "out of memory");
	sprintf(name, "%.*s*%s", (int)(open - text), text, close + 1);
	*ret_name = name;
	return 0;
}

static int is_chosen(const struct yaml *set, const struct endpoint_choice *choice,
                     bool *ret_chosen, struct err *err)
{
	const struct yaml *area = yaml_get(set, "serviceArea"),
			  *flag = yaml_get(set, "required");
	bool required = false, chosen = !choice->area_count;
	const char *text = "";
	int r = 0;

	if (flag)
		r = yaml_flag(flag, &required, err);
	if (r >= 0 && area)
		r = yaml_text(area, &text, err);
	for (size_t i = 0; i < choice->area_count; i++)
		chosen = chosen || !strcmp(choice->areas[i], text);
	*ret_chosen = chosen && (required || !choice->required);
	return r;
}

static int read_set(const struct yaml *set, struct arena *arena, struct endpoint_list *list,
                    struct err *err)
{
	const struct yaml *ips = yaml_get(set, "ips"), *urls = yaml_get(set, "urls");
	int r = 0;

	if (ips)
		r = yaml_list(ips, err);
	if (r >= 0 && urls)
		r = yaml_list(urls, err);
	for (const struct yaml *ip = ips ? yaml_first(ips) : NULL; r >= 0 && ip;
	     ip = yaml_next(ip))
		r = value_prefix(ip, &list->prefixes[list->prefix_count++], err);
	for (const struct yaml *url = urls ? yaml_first(urls) : NULL; r >= 0 && url;
	     url = yaml_next(url))
		r = read_url(url, arena, &list->names[list->name_count++], err);
	return r;
}

int endpoints_read(const struct yaml_file *file, const struct endpoint_choice *choice,
                   struct arena *arena, struct endpoint_list *ret_list, struct err *err)
{
	const struct yaml *root = yaml_root(file);
	struct endpoint_list list = {0};
	size_t prefixes = 0, names = 0;
	int r = yaml_list(root, err);

	if (r < 0)
		return r;
	for (const struct yaml *set = yaml_first(root); set; set = yaml_next(set)) {
		r = yaml_map(set, "an endpoint set", NULL, err);
		if (r < 0)
			return r;
		prefixes += yaml_get(set, "ips") ? yaml_count(yaml_get(set, "ips")) : 0;
		names += yaml_get(set, "urls") ? yaml_count(yaml_get(set, "urls")) : 0;
	}
	list.prefixes = arena_take(arena, prefixes * sizeof(*list.prefixes));
	list.names = arena_take(arena, names * sizeof(*list.names));
	if (!list.prefixes || !list.names)
		return err_set(err, -ENOMEM, "out of memory");
	for (const struct yaml *set = yaml_first(root); set; set = yaml_next(set)) {
		bool chosen = false;

		r = is_chosen(set, choice, &chosen, err);
		if (r >= 0 && chosen)
			r = read_set(set, arena, &list, err);
		if (r < 0)
			return r;
	}
	*ret_list = list;
	return 0;
}

void endpoints_date(const char *name, char date[16])
{
	for (const char *p = name; strlen(p) >= 10; p++) {
		unsigned y, m, d;
		int used = 0;

		if (sscanf(p, "%4u-%2u-%2u%n", &y, &m, &d, &used) == 3 && used == 10) {
			snprintf(date, 16, "%04u-%02u-%02u", y % 10000, m % 100, d % 100);
			return;
		}
	}
}
