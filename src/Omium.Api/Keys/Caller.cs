namespace Omium.Api.Keys;

/// <summary>Who asks: the key, and the tenant it belongs to.</summary>
internal sealed record Caller(string Tenant, string KeyId, string Environment)
{
    /// <summary>Nobody in particular: routes that need no key.</summary>
    public static readonly Caller Nobody = new("", "", "");
}
