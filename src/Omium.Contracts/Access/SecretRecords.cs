namespace Omium.Contracts.Access;

/// <summary>Body of <c>PUT /v1/secrets/{name}</c>.</summary>
/// <param name="Value">The value, 1 to 16,384 characters. It is never answered, logged or exported.</param>
public sealed record SetSecretRequest(string Value)
{
    /// <summary>Without the value, wherever a record is printed.</summary>
    public override string ToString() => nameof(SetSecretRequest);
}

/// <summary>A tool credential by name.</summary>
/// <param name="Name">What expressions call <c>secrets.&lt;name&gt;</c>.</param>
/// <param name="SetAt">When it was set last.</param>
/// <param name="SetBy">By whom.</param>
public sealed record SecretView(string Name, DateTimeOffset SetAt, string SetBy);
