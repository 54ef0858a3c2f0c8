using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;

namespace Omium.Runtime.Effects.Tools;

/// <summary>What HTTP tools may reach and how much they may carry. Section <c>tools</c>, or <c>OMIUM_TOOLS_*</c> in the environment.</summary>
public sealed record ToolNetworkOptions
{
    /// <summary>Largest answer that may be configured: 64 MiB.</summary>
    public const long ResponseBytesLimit = 64L * 1024 * 1024;

    /// <summary>
    /// Lets tools reach loopback and private networks (RFC 1918, fd00::/8, 100.64.0.0/10). Default false. Link-local and metadata
    /// addresses stay refused: name them in <see cref="AllowedHosts"/>.
    /// </summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>
    /// Hosts that may be reached at any address: <c>crm.local</c>, <c>*.corp.example</c> (every name below it), <c>127.0.0.1:8080</c>
    /// (this port only). Default none. Public addresses need no entry.
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Largest answer in bytes, after decompression. Default 1 MiB.</summary>
    [Range(1, ResponseBytesLimit)]
    public long ResponseBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Largest request body in bytes. Default 1 MiB.</summary>
    [Range(1, ResponseBytesLimit)]
    public long RequestBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Reads the options; what is absent keeps its default, what is out of range is an error at start.</summary>
    /// <exception cref="InvalidOperationException">A value cannot be read or is out of range; the message names it.</exception>
    public static ToolNetworkOptions From(IConfiguration configuration)
    {
        var values = new OptionReader(configuration, "tools", "OMIUM_TOOLS");
        var defaults = new ToolNetworkOptions();
        return new()
        {
            AllowPrivateAddresses = values.Bool("allow_private_addresses", defaults.AllowPrivateAddresses),
            AllowedHosts = values.List("allowed_hosts"),
            ResponseBytesMax = values.Long("response_bytes_max", defaults.ResponseBytesMax, 1, ResponseBytesLimit),
            RequestBytesMax = values.Long("request_bytes_max", defaults.RequestBytesMax, 1, ResponseBytesLimit),
        };
    }
}
