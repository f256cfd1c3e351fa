/*
 * links.c - see links.h. An interface is up when it is switched on and has a carrier: a mirror port
 * whose cable is pulled shows nothing either.
 */
#include "monitor/process/links.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct links {
	int fd;
	size_t count;
	struct watched {
		const char *name;
		int index; /* 0: not there */
		bool up;
	} link[];
};

static void look(int fd, const char *name, int *ret_index, bool *ret_up)
{
	struct ifreq request = {0};

	*ret_index = 0;
	*ret_up = false;
	if (!strcmp(name, "any")) {
		*ret_up = true;
		*ret_index = -1;
		return;
	}
	if (!text_copy(request.ifr_name, sizeof(request.ifr_name), name) ||
	    ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return;
	*ret_index = request.ifr_ifindex;
	if (!ioctl(fd, SIOCGIFFLAGS, &request))
		*ret_up = (request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING);
}

int links_new(const char *const *names, size_t count, struct links **ret, struct err *err)
{
	struct links *links = calloc(1, sizeof(*links) + count * sizeof(links->link[0]));

	if (!links)
		return err_set(err, -ENOMEM, "out of memory");
	links->count = count;
	links->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (links->fd < 0) {
		free(links);
		return err_set(err, -errno, "no socket to ask for interfaces: %s",
		               strerror(errno));
	}
	for (size_t i = 0; i < count; i++) {
		links->link[i].name = names[i];
		look(links->fd, names[i], &links->link[i].index, &links->link[i].up);
	}
	*ret = links;
	return 0;
}

void links_free(struct links *links)
{
	if (!links)
		return;
	close(links->fd);
	free(links);
}

enum link_news links_look(struct links *links, size_t i)
{
	struct watched *link = &links->link[i];
	struct watched was = *link;

	look(links->fd, link->name, &link->index, &link->up);
	if (link->index && was.index != link->index)
		return LINK_ANOTHER;
	if (was.up == link->up)
		return LINK_SAME;
	return link->up ? LINK_UP : LINK_DOWN;
}

bool links_is_up(const struct links *links, size_t i)
{
	return links->link[i].up;
}

bool links_exists(const struct links *links, size_t i)
{
	return links->link[i].index != 0;
}
