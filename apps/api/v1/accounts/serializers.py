from rest_framework import serializers


class LoginSerializer(serializers.Serializer[dict[str, str]]):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False, style={"input_type": "password"})
    otp = serializers.CharField(required=False, allow_blank=True, max_length=40)


class RefreshSerializer(serializers.Serializer[dict[str, str]]):
    refresh = serializers.CharField(max_length=4096)


class TokensSerializer(serializers.Serializer[dict[str, object]]):
    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField()
