using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Omium.Runtime.Effects.Tools;

/// <summary>How far an address reaches.</summary>
internal enum AddressScope
{
    /// <summary>Reachable from anywhere.</summary>
    Public,

    /// <summary>This machine or this network.</summary>
    Private,

    /// <summary>Link-local, cloud metadata, multicast, documentation, unspecified: never a tool unless named.</summary>
    Special,
}

/// <summary>
/// Which addresses a tool may reach. The ranges are those of the IANA special-purpose registries (RFC 6890 and its updates); an IPv6 form
/// that carries an IPv4 address (mapped, compatible, NAT64, 6to4) is judged by the address it carries, Teredo is refused.
/// </summary>
internal sealed class AddressPolicy(ToolNetworkOptions options)
{
    private static readonly (uint Network, int Bits, AddressScope Scope)[] Ranges4 =
    [
        (0x00000000, 8, AddressScope.Special),   // 0.0.0.0/8 this host
        (0x0A000000, 8, AddressScope.Private),   // 10.0.0.0/8
        (0x646464C8, 32, AddressScope.Special),  // 100.100.100.200 Alibaba Cloud's metadata
        (0x64400000, 10, AddressScope.Private),  // 100.64.0.0/10 carrier-grade NAT
        (0x7F000000, 8, AddressScope.Private),   // 127.0.0.0/8 loopback
        (0xA83F8110, 32, AddressScope.Special),  // 168.63.129.16 Azure's host agent, public by number only
        (0xA9FE0000, 16, AddressScope.Special),  // 169.254.0.0/16 link-local and cloud metadata
        (0xAC100000, 12, AddressScope.Private),  // 172.16.0.0/12
        (0xC0000000, 24, AddressScope.Special),  // 192.0.0.0/24 protocol assignments (Oracle's metadata too)
        (0xC0000200, 24, AddressScope.Special),  // 192.0.2.0/24 documentation
        (0xC0586300, 24, AddressScope.Special),  // 192.88.99.0/24 6to4 relays
        (0xC0A80000, 16, AddressScope.Private),  // 192.168.0.0/16
        (0xC6120000, 15, AddressScope.Special),  // 198.18.0.0/15 benchmarks
        (0xC6336400, 24, AddressScope.Special),  // 198.51.100.0/24 documentation
        (0xCB007100, 24, AddressScope.Special),  // 203.0.113.0/24 documentation
        (0xE0000000, 3, AddressScope.Special),   // 224.0.0.0/4 multicast and 240.0.0.0/4 reserved, broadcast
    ];

    /// <summary>True when a tool at this host and port may be reached at this address.</summary>
    public bool Allows(string host, int port, IPAddress address) => ScopeOf(address) switch
    {
        AddressScope.Public => true,
        AddressScope.Private when options.AllowPrivateAddresses => true,
        _ => options.AllowedHosts.Any(entry => Names(entry, host, port)),
    };

    /// <summary>How far an address reaches.</summary>
    public static AddressScope ScopeOf(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            Span<byte> four = stackalloc byte[4];
            address.TryWriteBytes(four, out _);
            return ScopeOf4(BinaryPrimitives.ReadUInt32BigEndian(four));
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return ScopeOf6(bytes);
    }

    private static AddressScope ScopeOf4(uint address)
    {
        foreach (var (network, bits, scope) in Ranges4)
        {
            if ((address ^ network) >> (32 - bits) == 0)
            {
                return scope;
            }
        }

        return AddressScope.Public;
    }

    private static AddressScope ScopeOf6(ReadOnlySpan<byte> bytes)
    {
        var high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        if (high == 0 && low <= 1)
        {
            return low == 1 ? AddressScope.Private : AddressScope.Special; // ::1 loopback, :: unspecified
        }

        if (high == 0 && low >> 32 is 0 or 0xFFFF)
        {
            return ScopeOf4((uint)low); // ::a.b.c.d and ::ffff:a.b.c.d
        }

        if (high == 0x0064_FF9B_0000_0000 && low >> 32 == 0)
        {
            return ScopeOf4((uint)low); // 64:ff9b::/96, NAT64
        }

        if (high >> 48 == 0x2002)
        {
            return ScopeOf4((uint)(high >> 16)); // 6to4
        }

        if (high >> 57 == 0xFC >> 1)
        {
            return bytes.SequenceEqual(MetadataOfAws) ? AddressScope.Special : AddressScope.Private; // fc00::/7 unique local
        }

        // Global unicast is 2000::/3 alone; inside it 2001::/23 are protocol assignments (Teredo among them), 2001:db8::/32 and
        // 3fff::/20 documentation. Everything else (fe80::/10, fec0::/10, ff00::/8, 100::/64, 64:ff9b:1::/48, ::ffff:0:0:0/96) is special.
        var isGlobal = high >> 61 == 1 && high >> 41 != 0x2001_0000 >> 9 && high >> 32 != 0x2001_0DB8 && high >> 44 != 0x3FFF0;
        return isGlobal ? AddressScope.Public : AddressScope.Special;
    }

    private static ReadOnlySpan<byte> MetadataOfAws => [0xFD, 0x00, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54];

    private static bool Names(string entry, string host, int port)
    {
        var name = entry;
        if (!entry.StartsWith('[') && entry.Count(c => c == ':') == 1 || entry.Contains("]:", StringComparison.Ordinal))
        {
            var colon = entry.LastIndexOf(':');
            if (entry[(colon + 1)..] != port.ToString(System.Globalization.CultureInfo.InvariantCulture))
            {
                return false;
            }

            name = entry[..colon];
        }

        name = name.Trim('[', ']').TrimEnd('.');
        var bare = host.Trim('[', ']').TrimEnd('.');
        return name.StartsWith("*.", StringComparison.Ordinal)
            ? bare.EndsWith(name[1..], StringComparison.OrdinalIgnoreCase)
            : string.Equals(bare, name, StringComparison.OrdinalIgnoreCase);
    }
}
