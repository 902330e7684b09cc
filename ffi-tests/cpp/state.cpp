/* Values, arrays, lists, dicts and namespaces: every type, outcomes and errors, what callbacks throw, their locks. */
#include "kit.hpp"

#include <array>

namespace {

using rialto::Region;

enum class Colour : std::uint8_t { red, green };
struct Point {
    double x, y;
};

static_assert(rialto::type_of<char>() == (std::is_signed_v<char> ? RIALTO_I8 : RIALTO_U8));
static_assert(rialto::type_of<short>() == RIALTO_I16 && rialto::type_of<unsigned>() == RIALTO_U32);
static_assert(rialto::type_of<long long>() == RIALTO_I64 && rialto::type_of<std::size_t>() == RIALTO_U64);
static_assert(rialto::type_of<bool>() == RIALTO_BOOL && rialto::type_of<Colour>() == RIALTO_U8);
static_assert(rialto::type_of<float>() == RIALTO_F32 && rialto::type_of<double>() == RIALTO_F64);
static_assert(rialto::type_of<Point>() == RIALTO_BLOCK && rialto::type_of<long double>() == RIALTO_BLOCK);
static_assert(!rialto::is_shareable<int*>::value && !rialto::is_shareable<std::string>::value);
static_assert(!rialto::is_shareable<std::string_view>::value && !rialto::is_shareable<rialto::bytes_view>::value);
static_assert(!std::is_constructible_v<rialto::bytes_view, std::vector<std::string>>);
static_assert(!std::is_constructible_v<rialto::bytes_span, const std::string&>);

void values(const Region& region)
{
    auto number = rialto::Value<int>::create(region, "number", 7);
    auto there = rialto::Value<int>::open(region, "number");
    throws(RIALTO_EWRONGKIND, [&] { (void)rialto::Value<float>::open(region, "number"); });
    CHECK(there.load() == 7 && number.fetch_add(3) == 7 && there.swap(5) == 10);
    int expected = 4;
    CHECK(!there.compare_exchange(expected, 6) && expected == 5 && there.compare_exchange(expected, 6));
    number.store(100);
    reap(child([&] {
        std::lock_guard guard(there);
        for (int i = 0; i < 10; i++)
            there.store(there.load() + 1);
    }));
    CHECK(number.load() == 110 && number.deaths() == 0);
    {
        rialto::Guard guard(number);
        CHECK(guard && number.is_mine() && number.is_locked());
        throws(RIALTO_EDEADLK, [&] { number.lock(); });
        reap(child([&] {
            CHECK(!there.try_lock() && !there.try_lock_for(1ms) && !there.acquire_for(1ms) && !there.try_acquire());
            CHECK(!rialto::Guard(there, 1ms) && there.load() == 110);
            there.set_timeout(1ms);
            throws(RIALTO_ETIMEDOUT, [&] { there.store(1); });
        }));
    }
    CHECK(!number.is_locked());
    throws(RIALTO_EPERM, [&] { number.release(); });
    auto point = rialto::Value<Point>::create_for(region, "point", Point{1, 2}, 1s);
    CHECK(point.load().y == 2 && point.swap(Point{3, 4}).x == 1);
    auto colour = rialto::Value<Colour>::create(region, "colour", Colour::green);
    CHECK(colour.load() == Colour::green && rialto::Value<double>::create(region, "d", 0.5).fetch_add(1) == 0.5);
    const auto failed = number.compare_exchange(expected, 1, rialto::nothrow);
    CHECK(!failed && failed == RIALTO_EAGAIN && *number.load(rialto::nothrow) == 110);
}

void arrays(const Region& region)
{
    auto array = rialto::Array<long>::create(region, "array", {1, 2, 3, 4});
    CHECK(array.len() == 4 && array.get(3) == 4 && rialto::Array<long>::open(region, "array").get(0) == 1);
    throws(RIALTO_ENOENT, [&] { (void)array.get(4); });
    array.set(0, 10);
    array.write(1, std::vector<long>{20, 30});
    std::array<long, 4> all{};
    array.read(0, all);
    CHECK((all == std::array<long, 4>{10, 20, 30, 4}));
    CHECK(array.fetch_add(3, 1) == 4 && array.swap(3, 40) == 5);
    long expected = 40;
    CHECK(array.compare_exchange(3, expected, 41) && !array.compare_exchange(3, expected, 42) && expected == 41);

    CHECK(array.edit([&](auto& edit) {
        edit.set(0, edit.get(1) + edit.get(2));
        edit.write(1, {7, 8});
        std::array<long, 2> two{};
        edit.read(1, two);
        CHECK(two[1] == 8 && array.get(1) == 20);
    }));
    array.read(0, all);
    CHECK((all == std::array<long, 4>{50, 7, 8, 41}));
    throws(RIALTO_ENOENT, [&] {
        (void)array.edit([&](auto& edit) {
            edit.set(0, 0);
            edit.set(4, 0);
        });
    });
    CHECK(!array.edit([](auto& edit) { return edit.set(0, 0), false; }));
    throws(RIALTO_EDEADLK, [&] { (void)array.edit([&](auto&) { array.set(0, 0); }); });
    CHECK(array.get(0) == 50 && !array.is_locked());
    // Killed in an edit, and then with the array's lock.
    gate inside;
    gate_make(&inside);
    const pid_t editor = child([&] {
        (void)array.edit([&](auto& edit) {
            edit.set(0, -1);
            gate_open(&inside);
            await_death();
        });
    });
    gate_pass(&inside);
    slay(editor);
    killed_after([&] { array.lock(); });
    CHECK(array.try_lock_for(30s) && array.get(0) == 50);
    array.unlock();
    array.set(1, 1);
    CHECK(array.deaths() <= 1);
}

void raw(const Region& region)
{
    int* const value = rialto::create_raw_value<int>(region, "raw");
    rialto::slice<double> array = rialto::create_raw_array<double>(region, "raws", 3);
    CHECK(*value == 0 && array.size() == 3 && array[2] == 0);
    *value = 5;
    array[2] = 2.5;
    CHECK(*rialto::open_raw_value<int>(region, "raw") == 5 && rialto::open_raw_array<double>(region, "raws")[2] == 2.5);
    throws(RIALTO_EWRONGKIND, [&] { (void)rialto::open_raw_value<long>(region, "raw"); });
}

void lists(const Region& region)
{
    auto list = rialto::List::create(region, "list", 8, 16);
    CHECK(rialto::List::layout(8, 16).size > 128 && list.capacity() == 8 && list.max_item_bytes() == 16);
    list.extend({rialto::message("b"), rialto::message("d")});
    list.append("a");
    list.insert(1, std::string("c"));
    list.set(0, "bb");
    std::string buffer(64, '-');
    CHECK(list.get(1, buffer)->text() == "c" && list.get(4, buffer) == RIALTO_ENOENT && !list.get(4, buffer));
    list.sort();
    CHECK(*list.index("d") == 3 && !list.index("x") && *list.index_in(1, SIZE_MAX, "bb") == 1);
    list.sort_by(buffer, [](rialto::bytes_view a, rialto::bytes_view b) { return a.text() > b.text(); });
    std::string joined;
    CHECK(list.for_each(buffer, [&](std::size_t index, rialto::bytes_view item) {
        CHECK(index < 4);
        joined += item.text();
    }));
    CHECK(joined == "dcbba");
    list.sort_by(buffer, [](rialto::bytes_view a, rialto::bytes_view b) { return int(a.size()) - int(b.size()); });
    CHECK(list.get(3, buffer)->text() == "bb" && list.contains("c") && list.count("c") == 1);
    CHECK(!list.for_each(buffer, [&](std::size_t index, rialto::bytes_view) { return index < 1; }));
    int calls = 0;
    const auto thrower = [&](auto&&...) -> bool { throw ++calls; };
    for (int round = 0; round < 2; round++) try {
            if (round == 0)
                (void)list.for_each(buffer, thrower);
            else
                list.sort_by(buffer, thrower);
            CHECK(false);
        } catch (int) {
            CHECK(calls == round + 1 && !list.is_locked());
        }
    std::array<std::uint32_t, 8> lengths;
    const std::size_t count = list.copy_range(1, SIZE_MAX, buffer, lengths);
    std::string copied;
    for (rialto::bytes_view item : rialto::Copies(buffer, lengths, count))
        copied += item.text();
    CHECK(count == 3 && copied == "cabb");
    list.remove("bb");
    throws(RIALTO_ENOENT, [&] { list.remove("bb"); });
    list.erase(0);
    list.reverse();
    CHECK(list.len() == 2 && list.pop(0, buffer) && list.pop_last(buffer) && !list.pop_last(buffer) && list.is_empty());
    list.clear();
    throws(RIALTO_EMSGSIZE, [&] { list.append(std::string(17, 'x')); });
    CHECK(!rialto::List::open_as(region, "list", 9, 16, rialto::nothrow));
    CHECK(rialto::List::open_or_create(region, "list", 8, 16) && rialto::List::open(region, "list"));
}

void dicts(const Region& region)
{
    auto dict = rialto::Dict::create_for(region, "dict", 8, 8, 16, 1s);
    dict.set("one", rialto::bytes_of(1));
    dict.update({rialto::pair("two", "zwei"), rialto::pair("three", "drei")});
    std::array<char, 64> buffer;
    CHECK(dict.get("one", buffer)->as<int>() == 1 && !dict.get("four", buffer));
    CHECK(dict.get_or("four", "vier", buffer)->text() == "vier" && !dict.contains("four"));
    CHECK(dict.setdefault("two", "vier", buffer)->text() == "zwei" && dict.len() == 3);
    std::array<char, 64> keys;
    std::string seen;
    CHECK(dict.for_each(keys, buffer, [&](rialto::bytes_view key, rialto::bytes_view) { seen += key.text(); }));
    CHECK(seen == "onetwothree");
    CHECK(!dict.for_each(keys, buffer, [&](rialto::bytes_view, rialto::bytes_view) { return false; }));
    throws(RIALTO_EBUSY, [&] {
        (void)dict.for_each(keys, buffer, [&](rialto::bytes_view key, rialto::bytes_view) { dict.remove(key); });
    });
    const auto item = dict.popitem(keys, buffer);
    CHECK(item->key.text() == "three" && item->value.text() == "drei");
    std::array<std::uint32_t, 8> lengths;
    std::array<rialto_pair_lengths_t, 8> pairs;
    CHECK(dict.copy_keys(keys, lengths) == 1 && dict.copy_items(keys, pairs) == 1 && pairs[0].value_bytes == 4);
    CHECK(dict.pop("two", buffer)->text() == "zwei" && !dict.pop("two", buffer) && !dict.remove("two"));
    CHECK(!dict.popitem(keys, buffer) && dict.is_empty());
}

void namespaces(const Region& region)
{
    auto attributes = rialto::Namespace::open_or_create(region, "ns", 8, 16, 32);
    attributes.set("i", -3);
    attributes.set("u", 3u);
    attributes.set("f", 0.5f);
    attributes.set("b", true);
    attributes.set("literal", "text");
    attributes.set(std::string("string"), std::string("more text"));
    attributes.set_bytes("bytes", std::vector<int>{1, 2});
    CHECK(*attributes.get<std::int64_t>("i") == -3 && *attributes.get<std::uint64_t>("u") == 3);
    CHECK(*attributes.get<double>("f") == 0.5 && *attributes.get<bool>("b"));
    CHECK(attributes.get<bool>("none") == RIALTO_ENOENT && !attributes.get<bool>("none").status());
    throws(RIALTO_EWRONGKIND, [&] { (void)attributes.get<double>("i"); });
    char buffer[64];
    CHECK(*attributes.get_str("literal", buffer) == "text" && *attributes.get_str("string", buffer) == "more text");
    CHECK(attributes.get_bytes("bytes", buffer)->size() == 8 && attributes.get_any("i", buffer)->i64 == -3);
    CHECK(*attributes.type_of("b") == RIALTO_ATTRIBUTE_BOOL && !attributes.type_of("none"));
    std::array<std::uint32_t, 8> lengths;
    CHECK(attributes.copy_names(buffer, lengths) == 7 && lengths[4] == 7 && attributes.len() == 7);
    CHECK(attributes.contains("u") && attributes.remove("u") && !attributes.remove("u"));
}

} // namespace

void test_state()
{
    auto region = Region::create_anonymous(1 << 18);
    values(region);
    arrays(region);
    raw(region);
    lists(region);
    dicts(region);
    namespaces(region);
}
