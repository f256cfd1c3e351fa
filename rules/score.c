/*
 * score.c - a flow against a row: match, mismatch or unknown for each field, and the grade where
 * nothing differs (design.md 5, the truth table). A row has several forms where the document can
 * be read in several ways; the best one speaks for it.
 */
#include "rules/score.h"

/*
 * TLS tells that a row of SIP or PSOM over TLS may be meant. A name proves it: one that DNS bound to
 * the peer, or one of the site's own in the SNI to a proven peer.
 */
static bool service_is_named(const struct scorer *s, const struct row_form *form)
{
	unsigned role;

	FOR_ROLES (role, form->peers) {
		uint32_t bit = UINT32_C(1) << role;
		bool configured = s->claimed & bit && s->policy->holders[role].by_site;

		if (scorer_role(s, role) == FIT_MATCH &&
		    (s->bound & bit || configured ||
		     s->policy->envelope->roles[role].one_service))
			return true;
	}
	return false;
}

/* No application of the form can have begun like this. PSOM in clear has no known beginning. */
static bool all_ruled_out(const struct row_form *form, const struct app_set *not_apps)
{
	if (form->opaque || form->psom || !(form->apps.w[0] | form->apps.w[1]))
		return false;
	return !(form->apps.w[0] & ~not_apps->w[0]) && !(form->apps.w[1] & ~not_apps->w[1]);
}

/* A row that a web proxy can carry: the unit's own TLS, HTTP (domain.md A2) and TURN over TCP. */
bool scorer_is_by_proxy(const struct scorer *s, const struct row_form *form)
{
	return s->proxied && form->tcp && form->directions & BIT(DIRECTION_OUT) &&
	       (app_set_has(&form->apps, APP_TLS) || app_set_has(&form->apps, APP_HTTP) ||
	        app_set_has(&form->apps, APP_MSTURN));
}

/* LLMNR that the peer alone speaks, and to no query of the unit that was seen. */
static bool is_unasked(const struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;

	return s->app == APP_LLMNR && !facts->solicited && facts->packets[!s->view->local] &&
	       !facts->packets[s->view->local];
}

static enum fit application_fit(const struct scorer *s, const struct row_form *form)
{
	if (form->opaque)
		return FIT_MATCH;
	/* Whoever answers LLMNR unasked only says that it does. */
	if (is_unasked(s) && app_set_has(&form->apps, APP_LLMNR))
		return FIT_UNKNOWN;
	if (!s->certain || (s->tunnel && scorer_is_by_proxy(s, form)))
		return all_ruled_out(form, &s->view->facts->not_apps) ? FIT_MISMATCH
		                                                      : FIT_UNKNOWN;
	if (s->app == APP_TLS && (form->sip_tls || form->psom_tls))
		return service_is_named(s, form) ? FIT_MATCH : FIT_UNKNOWN;
	return app_set_has(&form->apps, s->app) ||
	                       (s->app == APP_PSOM && form->psom)
	               ? FIT_MATCH
	               : FIT_MISMATCH;
}

static bool transport_fits(const struct row_form *form, uint8_t transport)
{
	return (transport == TRANSPORT_TCP && form->tcp) ||
	       (transport == TRANSPORT_UDP && form->udp);
}

static enum fit peer_fit(const struct scorer *s, const struct row_form *form,
                         struct score *score)
{
	enum fit best = s->probe ? FIT_UNKNOWN : FIT_MISMATCH;
	unsigned role;

	/* The proxy goes where it is asked to, and nobody saw where that is. */
	if (s->proxied && (!s->claim || !scorer_is_by_proxy(s, form)))
		return scorer_is_by_proxy(s, form) ? FIT_UNKNOWN : FIT_MISMATCH;
	FOR_ROLES (role, form->peers) {
		enum fit fit = scorer_role(s, role);

		if (fit > best)
			best = fit;
		if (fit == FIT_MATCH && !(s->anyone >> role & 1) && !score->proven) {
			score->proven = true;
			score->role = (int8_t)role;
		}
	}
	return best;
}

/* From a port that the rows of the same profile give to sharing alone. */
bool scorer_is_vbss(const struct scorer *s, const struct row *row, const struct row_form *form)
{
	if (s->view->facts->transport != TRANSPORT_UDP ||
	    s->view->facts->media != MEDIA_VIDEO || !(form->media & MEDIA_VIDEO) ||
	    port_set_is_ephemeral(&form->local))
		return false;
	for (size_t r = 0; r < s->policy->row_count; r++) {
		const struct row *other = &s->policy->rows[r];

		for (unsigned f = 0; other->profile == row->profile && f < other->form_count;
		     f++)
			if (other->form[f].media == MEDIA_DATA &&
			    !port_set_is_ephemeral(&other->form[f].local) &&
			    port_set_has(&other->form[f].local, s->local->port))
				return true;
	}
	return false;
}

/*
 * Behind an address translator the unit's own port is not what we see. It maps client ports to
 * client ports, so a row that allows them all is still judged; of any other we cannot tell.
 */
static enum fit local_port_fit(const struct scorer *s, const struct port_set *ports)
{
	bool has = port_set_has(ports, s->local->port);

	if (s->policy->nat && !(has && port_set_is_ephemeral(ports)))
		return FIT_UNKNOWN;
	return has ? FIT_MATCH : FIT_MISMATCH;
}

static enum fit fits(bool yes)
{
	return yes ? FIT_MATCH : FIT_MISMATCH;
}

static enum fit remote_port_fit(const struct scorer *s, const struct row_form *form)
{
	if (!s->port)
		return scorer_is_by_proxy(s, form) ? FIT_UNKNOWN : FIT_MISMATCH;
	return fits(port_set_has(&form->remote, s->port));
}

static enum grade grade_of(const struct row_form *form, const uint8_t fit[FIELD_COUNT])
{
	bool proven = fit[FIELD_PEER] == FIT_MATCH;
	bool certain = fit[FIELD_APPLICATION] == FIT_MATCH;

	if (port_set_is_ephemeral(&form->local) && port_set_is_ephemeral(&form->remote))
		return proven || (certain && !form->opaque) ? GRADE_WIDE : GRADE_NONE;
	return proven && certain && fit[FIELD_LOCAL_PORT] == FIT_MATCH ? GRADE_EXACT
	                                                               : GRADE_UNPROVEN;
}

void scorer_form(const struct scorer *s, unsigned row, unsigned form, struct score *ret)
{
	const struct flow_facts *facts = s->view->facts;
	const struct row_form *f = &s->policy->rows[row].form[form];
	uint8_t *fit = ret->fit;

	memset(ret, 0, sizeof(*ret));
	ret->row = (uint16_t)row;
	ret->form = (uint8_t)form;
	ret->role = -1;
	fit[FIELD_IP_VERSION] =
		fits(!f->ip_versions || f->ip_versions & BIT(facts->ip_version & 7));
	fit[FIELD_TRANSPORT] = fits(transport_fits(f, facts->transport));
	fit[FIELD_DIRECTION] =
		s->direction_firm ? fits(f->directions & BIT(s->direction)) : FIT_UNKNOWN;
	fit[FIELD_PEER] = peer_fit(s, f, ret);
	ret->claimed = s->claimed & f->peers & ~s->anyone;
	/* Another peer that the document only lets us infer must show one of its names (A5). */
	if (f->inferred && fit[FIELD_PEER] == FIT_UNKNOWN &&
	    f->peers != s->policy->rows[row].form[0].peers &&
	    !(f->peers & (s->claimed | s->bound | s->listed)))
		fit[FIELD_PEER] = FIT_MISMATCH;
	fit[FIELD_REMOTE_PORT] = remote_port_fit(s, f);
	/* Candidates of other networks, Teredo, relays: a probe says nothing of the far port (3.3). */
	if (s->probe && f->peers & s->clients && fit[FIELD_REMOTE_PORT] == FIT_MISMATCH)
		fit[FIELD_REMOTE_PORT] = FIT_UNKNOWN;
	fit[FIELD_APPLICATION] = application_fit(s, f);
	fit[FIELD_LOCAL_PORT] = local_port_fit(s, &f->local);
	fit[FIELD_MEDIA] = fits(!f->media || !(facts->media & ~f->media));
	ret->first = FIELD_COUNT;
	for (unsigned field = FIELD_COUNT; field-- > 0;)
		if (fit[field] == FIT_MISMATCH) {
			ret->first = (uint8_t)field;
			ret->misses++;
		}
	if (!ret->misses)
		ret->grade = grade_of(f, fit);
	ret->local_ports = (uint16_t)(port_set_size(&f->local) - 1);
	ret->remote_ports = (uint16_t)(port_set_size(&f->remote) - 1);
}

void scorer_row(const struct scorer *s, unsigned row, struct score *ret)
{
	struct score other;

	scorer_form(s, row, 0, ret);
	for (unsigned form = 1; form < s->policy->rows[row].form_count; form++) {
		scorer_form(s, row, form, &other);
		if (other.misses || ret->misses ? score_compare_misses(&other, ret) < 0
		                                : score_compare_matches(&other, ret) < 0)
			*ret = other;
	}
}

/* exact, unproven, wide, undetermined */
static int grade_rank(const struct score *score)
{
	return score->grade == GRADE_NONE ? GRADE_WIDE + 1 : score->grade;
}

static int ports_compare(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

int score_compare_matches(const struct score *a, const struct score *b)
{
	int order = grade_rank(a) - grade_rank(b);

	if (!order)
		order = b->proven - a->proven;
	if (!order)
		order = ports_compare(a->remote_ports, b->remote_ports);
	return order ? order : ports_compare(a->local_ports, b->local_ports);
}

int score_compare_misses(const struct score *a, const struct score *b)
{
	int order = a->misses - b->misses;

	if (!order)
		order = b->first - a->first;
	if (!order)
		order = ports_compare(a->local_ports, b->local_ports);
	if (!order)
		order = ports_compare(a->remote_ports, b->remote_ports);
	if (!order)
		order = b->proven - a->proven;
	return order ? order : b->claimed - a->claimed;
}
