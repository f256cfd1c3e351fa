/*
 * census.c - see census.h. An envelope of one row that takes whatever there is, and the whole of both address
 * families as units. What the judge says of it is not looked at: flows are judged anew from what is recorded.
 */
#include "monitor/suggest/census.h"

static const char ROW[] =
	"# FILE census.yaml\n"
	"profile: census\n"
	"title: whoever there is\n"
	"rows:\n"
	"  - {id: census.any, document: none, direction: [out, in], transport: [tcp, udp], local-ports: [1-65535],\n"
	"     remote-ports: [1-65535], peer: [any], application: [opaque], need: if-used}\n";

static void put_texts(FILE *out, const char *key, char *const *texts, size_t count)
{
	fprintf(out, "  %s: [", key);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", texts[i]);
	fputs("]\n", out);
}

/* As an envelope is recorded (rules/recorded.h): what DHCP teaches is learnt, and units look as ever. */
static int print_envelope(const struct envelope *envelope, char **ret_text, struct err *err)
{
	size_t len;
	FILE *out = open_memstream(ret_text, &len);

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	fputs(ROW, out);
	fputs("# FILE roles.yaml\n"
	      "roles:\n"
	      "  any: {meaning: anybody, anyone: true}\n"
	      "  dns-server: {meaning: resolvers, learn: dhcp-dns}\n"
	      "  dhcp-server: {meaning: servers of DHCP, learn: dhcp-server}\n"
	      "units:\n"
	      "  ouis: [",
	      out);
	for (size_t i = 0; i < envelope->oui_count; i++) {
		char mac[MAC_TEXT];

		fprintf(out, "%s\"%.8s\"", i ? ", " : "", mac_print(&envelope->ouis[i], mac));
	}
	fputs("]\n", out);
	put_texts(out, "names", envelope->unit_names, envelope->unit_name_count);
	return fclose(out) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

int census_policy(const struct envelope *envelope, struct policy **ret_policy, struct err *err)
{
	static const char *const everybody[] = {"0.0.0.0/0", "::/0"};
	CLEANUP(freep) char *text = NULL;
	struct policy_args args = {
		.units = everybody, .unit_count = ARRAY_LEN(everybody), .profiles = "census"};
	int r = print_envelope(envelope, &text, err);

	args.recorded_envelope = text;
	return r < 0 ? r : policy_load(&args, ret_policy, err);
}
