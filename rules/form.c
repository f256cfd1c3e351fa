/*
 * form.c - see form.h.
 */
#include "rules/form.h"

#include "rules/arena.h"

WORDS(DIRECTIONS, "out", "in");
WORDS(IP_VERSIONS, "4", "6");
WORDS(TRANSPORTS, "tcp", "udp");
WORDS(MEDIA, "audio", "video", "appshare", "filetransfer");

/* Each an application, or one of the three that name more than the wire shows. */
WORDS(APPLICATIONS, "dns", "dhcp", "tls", "http", "llmnr", "kerberos", "stun", "msturn", "rtp",
      "rtcp", "psom", "sip_tls", "psom_tls", "opaque");

/* Reads a list of words as a mask of their indices; an empty one is an error. */
static int read_mask(const struct yaml *list, const char *what, const struct words *words,
                     uint32_t *ret_mask, struct err *err)
{
	uint32_t mask = 0;
	char offer[1280];
	unsigned index = 0;
	int r = yaml_list(list, err);

	if (r < 0)
		return r;
	if (!yaml_first(list))
		return yaml_fail_key(list, err, "an empty list of %ss; %s", what,
		                     words_offer(words, "", offer, sizeof(offer)));
	for (const struct yaml *item = yaml_first(list); item; item = yaml_next(item)) {
		r = yaml_word(item, what, words, &index, err);
		if (r < 0)
			return r;
		mask |= (uint32_t)1 << index;
	}
	*ret_mask = mask;
	return 0;
}

static int read_directions(const struct yaml *list, struct row_form *form, struct err *err)
{
	uint32_t mask = 0;
	int r = read_mask(list, "direction", &DIRECTIONS, &mask, err);

	if (r >= 0)
		form->directions = (uint8_t)((mask & 1 ? BIT(DIRECTION_OUT) : 0) |
		                             (mask & 2 ? BIT(DIRECTION_IN) : 0));
	return r;
}

static int read_ip_versions(const struct yaml *list, struct row_form *form, struct err *err)
{
	uint32_t mask = 0;
	int r = read_mask(list, "ip-version", &IP_VERSIONS, &mask, err);

	if (r >= 0)
		form->ip_versions =
			(uint8_t)((mask & 1 ? BIT(4) : 0) | (mask & 2 ? BIT(6) : 0));
	return r;
}

static int read_transports(const struct yaml *list, struct row_form *form, struct err *err)
{
	uint32_t mask = 0;
	int r = read_mask(list, "transport", &TRANSPORTS, &mask, err);

	if (r >= 0) {
		form->tcp = mask & 1;
		form->udp = mask & 2;
	}
	return r;
}

int value_media(const struct yaml *list, uint8_t *ret_media, struct err *err)
{
	uint32_t mask = 0;
	int r = read_mask(list, "media", &MEDIA, &mask, err);

	/* Sharing and files look alike on the wire: both are data (design.md 4). */
	if (r >= 0)
		*ret_media = (uint8_t)((mask & 1 ? MEDIA_AUDIO : 0) |
		                       (mask & 2 ? MEDIA_VIDEO : 0) |
		                       (mask & 12 ? MEDIA_DATA : 0));
	return r;
}

static int read_applications(const struct yaml *list, struct row_form *form, struct err *err)
{
	uint32_t mask = 0;
	int r = read_mask(list, "application", &APPLICATIONS, &mask, err);

	if (r < 0)
		return r;
	form->apps = (struct app_set){0};
	form->opaque = form->tls = form->sip_tls = form->psom_tls = form->psom = false;
	for (unsigned i = 0; i < APPLICATIONS.count; i++) {
		const char *word = APPLICATIONS.word[i];

		if (!(mask >> i & 1))
			continue;
		if (!strcmp(word, "opaque"))
			form->opaque = true;
		else if (!strcmp(word, "sip_tls"))
			form->sip_tls = true;
		else if (!strcmp(word, "psom_tls"))
			form->psom_tls = true;
		else
			app_set_add(&form->apps, app_parse(word));
	}
	form->psom = app_set_has(&form->apps, APP_PSOM);
	form->tls = app_set_has(&form->apps, APP_TLS);
	if (form->sip_tls || form->psom_tls)
		app_set_add(&form->apps, APP_TLS);
	return 0;
}

static int read_peers(const struct yaml *list, const struct envelope *envelope,
                      struct row_form *form, struct err *err)
{
	const char *word[ROLES_MAX];
	struct words words = {.word = word};
	uint32_t mask = 0;
	int r;

	/* Roles of the site alone stand behind the others (roles.c): indices are those of roles. */
	while (words.count < envelope->role_count && !envelope->roles[words.count].site_only) {
		word[words.count] = envelope->roles[words.count].id;
		words.count++;
	}
	r = read_mask(list, "role", &words, &mask, err);
	if (r >= 0)
		form->peers = mask;
	return r;
}

static int read_range(const struct yaml *node, struct port_set *set, struct err *err)
{
	const char *text = "";
	unsigned long low, high;
	char *end, shown[SHOWN_MAX];
	int r = yaml_text(node, &text, err);

	if (r < 0)
		return r;
	text_shown(text, shown);
	if (text[0] < '0' || text[0] > '9')
		return yaml_fail(node, err, "'%s' is no port; accepted: 443, 50000-50019",
		                 shown);
	low = high = strtoul(text, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		high = strtoul(end + 1, &end, 10);
	if (*end)
		return yaml_fail(node, err, "'%s' is no port; accepted: 443, 50000-50019",
		                 shown);
	if (low < 1 || low > 65535 || high < 1 || high > 65535)
		return yaml_fail(node, err, "port '%s' does not exist; accepted: 1 to 65535",
		                 shown);
	if (low > high)
		return yaml_fail(
			node, err,
			"impossible port range '%s': its end lies before its start; did you "
			"mean '%lu-%lu'?",
			shown, high, low);
	if (port_set_add(set, (uint16_t)low, (uint16_t)high) < 0)
		return yaml_fail(node, err, "more than %d separate port ranges",
		                 PORT_RANGES_MAX);
	return 0;
}

int value_ports(const struct yaml *node, struct port_set *ret_set, struct err *err)
{
	struct port_set set = {0};
	int r = yaml_list(node, err);

	if (r < 0)
		return r;
	if (!yaml_first(node))
		return yaml_fail_key(node, err,
		                     "an empty list of ports; accepted: [443, 50000-50019]");
	for (const struct yaml *item = yaml_first(node); item; item = yaml_next(item)) {
		r = read_range(item, &set, err);
		if (r < 0)
			return r;
	}
	*ret_set = set;
	return 0;
}

int form_read(const struct yaml *map, const struct envelope *envelope, struct row_form *form,
              struct err *err)
{
	const struct yaml *node;
	int r = 0;

	if ((node = yaml_get(map, "direction")))
		r = read_directions(node, form, err);
	if (r >= 0 && (node = yaml_get(map, "ip-version")))
		r = read_ip_versions(node, form, err);
	if (r >= 0 && (node = yaml_get(map, "transport")))
		r = read_transports(node, form, err);
	if (r >= 0 && (node = yaml_get(map, "local-ports")))
		r = value_ports(node, &form->local, err);
	if (r >= 0 && (node = yaml_get(map, "remote-ports")))
		r = value_ports(node, &form->remote, err);
	if (r >= 0 && (node = yaml_get(map, "peer")))
		r = read_peers(node, envelope, form, err);
	if (r >= 0 && (node = yaml_get(map, "application")))
		r = read_applications(node, form, err);
	if (r >= 0 && (node = yaml_get(map, "media")))
		r = value_media(node, &form->media, err);
	return r;
}

/* Whether the value of one key in `narrow` lies within what `form` allows. */
static bool key_within(const char *key, const struct row_form *narrow,
                       const struct row_form *form)
{
	if (!strcmp(key, "direction"))
		return !(narrow->directions & ~form->directions);
	if (!strcmp(key, "ip-version"))
		return !(narrow->ip_versions & ~form->ip_versions);
	if (!strcmp(key, "transport"))
		return narrow->tcp <= form->tcp && narrow->udp <= form->udp;
	if (!strcmp(key, "local-ports"))
		return port_set_within(&narrow->local, &form->local);
	if (!strcmp(key, "remote-ports"))
		return port_set_within(&narrow->remote, &form->remote);
	if (!strcmp(key, "peer"))
		return !(narrow->peers & ~form->peers);
	if (!strcmp(key, "media"))
		return !(narrow->media & ~form->media);
	return form->opaque || (!(narrow->apps.w[0] & ~form->apps.w[0]) &&
	                        !(narrow->apps.w[1] & ~form->apps.w[1]) && !narrow->opaque &&
	                        narrow->tls <= form->tls && narrow->sip_tls <= form->sip_tls &&
	                        narrow->psom_tls <= form->psom_tls);
}

/* Leaves of `form` what both allow, in that one key; false if that is nothing. */
static bool key_cut(const char *key, const struct row_form *narrow, struct row_form *form)
{
	if (!strcmp(key, "direction"))
		return form->directions &= narrow->directions;
	if (!strcmp(key, "ip-version"))
		return form->ip_versions &= narrow->ip_versions;
	if (!strcmp(key, "transport")) {
		form->tcp = form->tcp && narrow->tcp;
		form->udp = form->udp && narrow->udp;
		return form->tcp || form->udp;
	}
	if (!strcmp(key, "local-ports")) {
		form->local = port_set_common(&form->local, &narrow->local);
		return form->local.count;
	}
	if (!strcmp(key, "remote-ports")) {
		form->remote = port_set_common(&form->remote, &narrow->remote);
		return form->remote.count;
	}
	if (!strcmp(key, "peer"))
		return form->peers &= narrow->peers;
	if (!strcmp(key, "media"))
		return form->media &= narrow->media;
	if (form->opaque) {
		form->apps = narrow->apps;
		form->tls = narrow->tls;
		form->sip_tls = narrow->sip_tls;
		form->psom_tls = narrow->psom_tls;
		form->psom = narrow->psom;
		form->opaque = narrow->opaque;
		return true;
	}
	form->apps.w[0] &= narrow->apps.w[0];
	form->apps.w[1] &= narrow->apps.w[1];
	form->tls = form->tls && narrow->tls;
	form->sip_tls = form->sip_tls && narrow->sip_tls;
	form->psom_tls = form->psom_tls && narrow->psom_tls;
	form->psom = app_set_has(&form->apps, APP_PSOM);
	if (!form->tls && !form->sip_tls && !form->psom_tls)
		form->apps.w[APP_TLS / 64] &= ~BIT(APP_TLS % 64);
	return form->apps.w[0] || form->apps.w[1];
}

static int say_wider(const struct yaml *node, const struct row *row, struct err *err)
{
	bool local = !strcmp(yaml_key(node), "local-ports");
	bool remote = !strcmp(yaml_key(node), "remote-ports");
	char allowed[128] = "";

	if (local || remote)
		port_set_print(local ? &row->form[0].local : &row->form[0].remote, allowed,
		               sizeof(allowed));
	return yaml_fail(node, err,
	                 "%s is wider here than %s allows%s%s; a site may tighten a row, never "
	                 "widen it",
	                 yaml_key(node), row->id, local || remote ? ": " : "", allowed);
}

int form_narrow(const struct yaml *map, const struct envelope *envelope, struct row *row,
                struct err *err)
{
	static const char *const keys[] = {FORM_KEYS};
	static const struct words words = {keys, ARRAY_LEN(keys)};
	struct row_form narrow = row->form[0];
	unsigned kept = 0;
	int r = yaml_map(map, "a narrowed row", &words, err);

	if (r >= 0)
		r = form_read(map, envelope, &narrow, err);
	if (r < 0)
		return r;
	for (const struct yaml *node = yaml_first(map); node; node = yaml_next(node)) {
		bool within = false;

		for (unsigned i = 0; i < row->form_count && !within; i++)
			within = key_within(yaml_key(node), &narrow, &row->form[i]);
		if (!within)
			return say_wider(node, row, err);
	}
	for (unsigned i = 0; i < row->form_count; i++) {
		struct row_form form = row->form[i];
		bool left = true;

		for (const struct yaml *node = yaml_first(map); node && left;
		     node = yaml_next(node))
			left = key_cut(yaml_key(node), &narrow, &form);
		if (left)
			row->form[kept++] = form;
	}
	if (!kept)
		return yaml_fail_key(map, err, "narrowed like this %s allows nothing", row->id);
	row->form_count = kept;
	return 0;
}

int value_prefix(const struct yaml *node, struct prefix *ret_prefix, struct err *err)
{
	char shown[SHOWN_MAX], bare[PREFIX_TEXT], *slash, *end;
	const char *text = "";
	struct prefix prefix;
	struct addr addr;
	unsigned long bits;
	int r = yaml_text(node, &text, err);

	if (r < 0)
		return r;
	if (!prefix_parse(text, ret_prefix))
		return 0;
	text_shown(text, shown);
	if (text_copy(bare, sizeof(bare), text) && (slash = strchr(bare, '/'))) {
		*slash = '\0';
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] >= '0' && slash[1] <= '9' && !*end && !addr_parse(bare, &addr) &&
		    bits <= (addr_is_v4(&addr) ? 32 : 128)) {
			prefix = prefix_of(&addr,
			                   (unsigned)(addr_is_v4(&addr) ? bits + 96 : bits));
			return yaml_fail(
				node, err,
				"'%s' has bits set behind its prefix; did you mean '%s'?",
				shown, prefix_print(&prefix, bare));
		}
	}
	return yaml_fail(
		node, err,
		"'%s' is no address; accepted: 10.20.0.15, 10.20.8.0/22, 2001:db8::15, "
		"2001:db8::/64",
		shown);
}

int value_name(const struct yaml *node, struct arena *arena, char **ret_name, struct err *err)
{
	static const char accepted[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*";
	char shown[SHOWN_MAX], *name;
	const char *text = "";
	size_t len;
	int r = yaml_text(node, &text, err);

	if (r < 0)
		return r;
	len = strlen(text);
	if (len > NAME_MAX_LEN || text[strspn(text, accepted)] || text[0] == '.')
		return yaml_fail(
			node, err,
			"'%s' is no host name; accepted: fe01.corp.example, *.corp.example",
			text_shown(text, shown));
	if (len > 1 && text[len - 1] == '.')
		len--;
	name = arena_copy(arena, text, len);
	if (!name)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < len; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
	*ret_name = name;
	return 0;
}

int value_prefixes(const struct yaml *list, struct arena *arena, struct prefix **ret_prefixes,
                   size_t *ret_count, struct err *err)
{
	struct prefix *prefixes;
	size_t count = 0;
	int r = yaml_list(list, err);

	if (r < 0)
		return r;
	prefixes = arena_take(arena, yaml_count(list) * sizeof(*prefixes));
	if (!prefixes)
		return err_set(err, -ENOMEM, "out of memory");
	for (const struct yaml *item = yaml_first(list); item; item = yaml_next(item)) {
		r = value_prefix(item, &prefixes[count++], err);
		if (r < 0)
			return r;
	}
	*ret_prefixes = prefixes;
	*ret_count = count;
	return 0;
}

int value_names(const struct yaml *list, struct arena *arena, char ***ret_names,
                size_t *ret_count, struct err *err)
{
	char **names;
	size_t count = 0;
	int r = yaml_list(list, err);

	if (r < 0)
		return r;
	names = arena_take(arena, yaml_count(list) * sizeof(*names));
	if (!names)
		return err_set(err, -ENOMEM, "out of memory");
	for (const struct yaml *item = yaml_first(list); item; item = yaml_next(item)) {
		r = value_name(item, arena, &names[count++], err);
		if (r < 0)
			return r;
	}
	*ret_names = names;
	*ret_count = count;
	return 0;
}

int value_words(const struct yaml *list, struct arena *arena, const char **ret_text,
                struct err *err)
{
	const struct yaml *item = list ? yaml_first(list) : NULL;
	char joined[512] = "";

	for (; item; item = yaml_next(item)) {
		const char *text = "";
		int r = yaml_text(item, &text, err);

		if (r < 0)
			return r;
		text_add(joined, sizeof(joined), "%s%s", joined[0] ? ", " : "", text);
	}
	*ret_text = arena_text(arena, joined);
	return *ret_text ? 0 : err_set(err, -ENOMEM, "out of memory");
}
